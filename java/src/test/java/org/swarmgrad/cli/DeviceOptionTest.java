// The command line with --device cuda: what it prints of the device, and a run that goes on
// elsewhere.
// Needs a CUDA engine's library.
package org.swarmgrad.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.swarmgrad.Swarmgrad;

@Tag("backends")
class DeviceOptionTest {
  @TempDir Path folder;

  private static Output run(String... arguments) {
    Output output = Output.run(arguments);
    assertThat(output.status()).as(output.err()).isZero();
    return output;
  }

  private static Output train(Path run, String device, String... more) {
    List<String> words = new ArrayList<>(List.of("train", "--evaluate", "20", "--device", device));
    words.addAll(
        List.of(more).contains("--resume")
            ? List.of()
            : List.of("--env", "meeting", "--envs", "40", "--seed", "3", "--out", run.toString()));
    words.addAll(List.of(more));
    return run(words.toArray(String[]::new));
  }

  @Test
  void aRunSaysItsDeviceAndGoesOnOnAnother() throws IOException {
    Path straight = folder.resolve("straight");
    JsonNode expected = train(straight, "cpu", "--iterations", "6", "--json").json();
    Path run = folder.resolve("run");
    Output begun = train(run, "cuda", "--iterations", "4");
    assertThat(begun.out()).contains("cuda: " + Swarmgrad.cudaDevices().get(0).name());
    assertThat(begun.err()).doesNotContain("checkpoint");
    Output output = train(run, "cpu", "--resume", run.toString(), "--iterations", "6", "--json");
    assertThat(output.err())
        .containsOnlyOnce("swarmgrad: the checkpoint was made on cuda and goes on on cpu");
    JsonNode found = output.json();
    assertThat(found.get("parameters_sha256")).isEqualTo(expected.get("parameters_sha256"));
    assertThat(run.resolve("metrics.jsonl"))
        .hasSameTextualContentAs(straight.resolve("metrics.jsonl"));
    List<String> timing = Files.readAllLines(run.resolve("timing.jsonl"));
    assertThat(Json.MAPPER.readTree(timing.get(0)).get("device").asText()).isEqualTo("cuda");
    assertThat(Json.MAPPER.readTree(timing.get(5)).get("device").asText()).isEqualTo("cpu");

    String[] eval = {"eval", "--run", run.toString(), "--episodes", "40", "--json", "--device", ""};
    eval[eval.length - 1] = "cpu";
    String onCpu = run(eval).out();
    eval[eval.length - 1] = "auto";
    Output onAny = run(eval);
    assertThat(onAny.out()).isEqualTo(onCpu);
    assertThat(onAny.err())
        .isEqualTo(
            "swarmgrad: the checkpoint was made on cpu and goes on on cuda, by design with the same"
                + " bits\n");
  }

  @Test
  void benchNamesTheDevice() throws IOException {
    String[] bench = {
      "bench", "--device", "cuda", "--env", "meeting", "--envs", "32", "--policy", "linear"
    };
    List<String> words = new ArrayList<>(List.of(bench));
    words.addAll(List.of("--seconds", "0.1", "--json"));
    JsonNode result = run(words.toArray(String[]::new)).json();
    assertThat(result.get("device").asText()).isEqualTo("cuda");
    assertThat(result.get("agent_steps_per_s").asDouble()).isPositive();
  }
}
