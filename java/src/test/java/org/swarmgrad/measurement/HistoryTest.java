// Lines go in whole, come out equal and in order, and a damaged one is named.
package org.swarmgrad.measurement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HistoryTest {
  private static final Machine FIRST = new Machine("AMD EPYC, family 25, model 17", 2, "avx2");
  private static final Machine SECOND = new Machine("Neoverse \"N1\"", 4, "neon");

  @TempDir Path folder;

  private static BenchmarkResult result(double score, Machine machine, String date) {
    TreeMap<String, String> parameters = new TreeMap<>();
    parameters.put("policy", "mlp:64,64");
    return new BenchmarkResult(
        "iteration",
        parameters,
        score,
        0.25,
        BenchmarkResult.AGENT_STEPS_PER_SECOND,
        machine,
        "0123abc",
        date);
  }

  @Test
  void keepsAFileForEachMachineAndReadsThemByDate() throws IOException {
    History history = new History(folder.resolve("new"));
    assertThat(history.read()).isEmpty();
    BenchmarkResult first = result(1.5, FIRST, "2026-01-01T00:00:00Z");
    BenchmarkResult second = result(2e7, SECOND, "2026-01-02T00:00:00Z");
    BenchmarkResult third = result(3, FIRST, "2026-01-03T00:00:00Z");
    history.append(List.of(second, first));
    history.append(List.of(third));
    assertThat(history.read()).containsExactly(first, second, third);
    try (var files = Files.list(history.folder())) {
      assertThat(files.map(file -> file.getFileName().toString()))
          .containsExactlyInAnyOrder(
              "amd-epyc-family-25-model-17-2-cores-avx2.jsonl", "neoverse-n1-4-cores-neon.jsonl");
    }
  }

  @Test
  void writersOfOneFileDoNotMixTheirLines() throws Exception {
    List<Future<?>> writers = new ArrayList<>();
    try (ExecutorService pool = Executors.newFixedThreadPool(4)) {
      for (int i = 1; i <= 40; i++) {
        BenchmarkResult result = result(i, FIRST, "2026-01-01T00:00:00Z");
        writers.add(
            pool.submit(
                () -> {
                  new History(folder).append(List.of(result, result));
                  return null;
                }));
      }
    }
    for (Future<?> writer : writers) {
      writer.get();
    }
    List<BenchmarkResult> read = new History(folder).read();
    assertThat(read).hasSize(80);
    for (int i = 0; i < read.size(); i += 2) {
      assertThat(read.get(i)).isEqualTo(read.get(i + 1));
    }
  }

  @Test
  void namesFileAndLineOfWhatIsNoResult() throws IOException {
    History history = new History(folder);
    history.append(List.of(result(1, FIRST, "2026-01-01T00:00:00Z")));
    Path file = folder.resolve(FIRST.fileName() + ".jsonl");
    Files.writeString(file, "{\"commit\":\"0123abc\"}\n", StandardOpenOption.APPEND);
    assertThatThrownBy(history::read)
        .isInstanceOf(IOException.class)
        .hasMessageContaining(file + " line 2 is no benchmark result")
        .hasMessageContaining("machine");
  }

  @Test
  void refusesScoresThatAreNone() {
    for (double score : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
      assertThatThrownBy(() -> result(score, FIRST, "2026-01-01T00:00:00Z"))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("score " + score);
    }
  }
}
