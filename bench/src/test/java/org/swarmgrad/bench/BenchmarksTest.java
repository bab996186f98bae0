// Runs every benchmark for a moment, so that none rots: each must answer right and yield a line of
// history. No time is judged.
package org.swarmgrad.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.BenchmarkList;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.format.OutputFormatFactory;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;
import org.swarmgrad.measurement.BenchmarkResult;
import org.swarmgrad.measurement.History;
import org.swarmgrad.measurement.Machine;

class BenchmarksTest {
  private static final Machine MACHINE = new Machine("tested", 1, "none");

  private static ChainedOptionsBuilder tiny() {
    return new OptionsBuilder()
        .forks(0)
        .warmupIterations(0)
        .measurementIterations(2)
        .measurementTime(TimeValue.milliseconds(20))
        .param("environment", "simple_spread_v3", "CartPole-v1")
        .param("policy", "mlp:8x4")
        .param("environments", "17")
        .param("threads", "2")
        .param("agents", "3")
        .verbosity(VerboseMode.SILENT)
        .shouldFailOnError(true);
  }

  private static List<String> names() {
    var list = BenchmarkList.defaultList();
    return list
        .getAll(OutputFormatFactory.createFormatInstance(System.out, VerboseMode.SILENT), List.of())
        .stream()
        .map(entry -> entry.getUsername().substring(entry.getUsername().lastIndexOf('.') + 1))
        .toList();
  }

  @Test
  void everyBenchmarkAnswersRightAndIsRecorded(@TempDir Path folder) throws Exception {
    Collection<RunResult> measured = new Runner(tiny().build()).run();
    List<BenchmarkResult> results =
        Main.results(measured, MACHINE, "0123abc", "2026-01-01T00:00:00Z");
    assertThat(results.stream().map(BenchmarkResult::benchmark).collect(Collectors.toSet()))
        .containsExactlyInAnyOrderElementsOf(names())
        .contains("iteration", "rollout", "gradient", "ffmNumber", "jniNumber", "ffmObserve");
    for (BenchmarkResult result : results) {
      if (result.unit().equals(BenchmarkResult.AGENT_STEPS_PER_SECOND)) {
        assertThat(result.parameters())
            .containsKeys("environment", "isa")
            .containsEntry("policy", "mlp:8,4")
            .containsEntry("environments", "17")
            .containsEntry("threads", "2");
      } else {
        assertThat(result.parameters()).isEqualTo(Map.of("agents", "3"));
      }
    }
    History history = new History(folder);
    history.append(results);
    assertThat(history.read()).isEqualTo(results);
  }

  @Test
  void aBenchmarkThatCannotAnswerFails() {
    assertThatThrownBy(
            () ->
                new Runner(tiny().include("rollout").param("environment", "nowhere").build()).run())
        .isInstanceOf(RunnerException.class);
  }

  @Test
  void aWrongAnswerFails() {
    assertThatThrownBy(() -> EngineBenchmark.require(false, "two runs differ"))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("the answer of the benchmark is wrong: two runs differ");
  }

  @Test
  void exitStatusSaysWhoWasWrong() {
    assertThat(Main.run("--ratios", "soon")).isEqualTo(2);
    assertThat(Main.run("--ratios", "1e-3", "a word of no line")).isZero();
    assertThat(Main.run("--no-history", "--no-such-option")).isEqualTo(2);
    // The tests run in the module's folder, which holds no folder bench to find the history in.
    assertThat(Main.run("iteration")).isEqualTo(2);
    assertThat(Main.run("--no-history", "nothingIsCalledSo")).isEqualTo(1);
  }
}
