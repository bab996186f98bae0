// Ctrl-C and SIGTERM on a real process: status 130, a checkpoint, and a resume that ends with the
// bits of an undisturbed run.
package org.swarmgrad.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class InterruptTest {
  @TempDir Path folder;
  private final List<Process> started = new ArrayList<>();

  /** The command line as a process of its own, with the signals a terminal would give it. */
  static List<String> command(String... arguments) {
    List<String> command = new ArrayList<>(List.of("env", "--default-signal=INT,TERM"));
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("--enable-native-access=ALL-UNNAMED");
    String cache = System.getProperty("org.bytedeco.javacpp.cachedir");
    if (cache != null) {
      command.add("-Dorg.bytedeco.javacpp.cachedir=" + cache);
    }
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
    command.addAll(List.of(arguments));
    return command;
  }

  private Process start(List<String> command) throws IOException {
    ProcessBuilder builder = new ProcessBuilder(command);
    Process process = builder.redirectErrorStream(true).redirectOutput(output().toFile()).start();
    started.add(process);
    return process;
  }

  /** A test that fails must not leave a training behind. */
  @AfterEach
  void endWhatIsLeft() {
    started.forEach(Process::destroyForcibly);
  }

  private Process start(String... arguments) throws IOException {
    return start(command(arguments));
  }

  private Path output() {
    return folder.resolve("output");
  }

  private static void signal(Process process, String name) throws Exception {
    assertThat(
            new ProcessBuilder("kill", "-" + name, String.valueOf(process.pid())).start().waitFor())
        .isZero();
  }

  private static void await(Process process, Path file, long bytes) throws Exception {
    while (!Files.exists(file) || Files.size(file) < bytes) {
      assertThat(process.isAlive()).isTrue();
      Thread.sleep(5);
    }
  }

  private int status(Process process) throws Exception {
    assertThat(process.waitFor(5, TimeUnit.MINUTES)).isTrue();
    return process.exitValue();
  }

  private String lastLine() throws IOException {
    List<String> lines = Files.readAllLines(output());
    return lines.get(lines.size() - 1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"INT", "TERM"})
  void aSignalLeavesACheckpointThatResumesExactly(String signal) throws Exception {
    Path run = folder.resolve("run");
    String[] training = {
      "train", "--env", "simple_spread_v3", "--envs", "64", "--policy", "mlp:8", "--json"
    };
    Process process = start(with(training, "--iterations", "10000000", "--out", run.toString()));
    await(process, run.resolve("metrics.jsonl"), 1000);
    signal(process, signal);
    assertThat(status(process)).as(Files.readString(output())).isEqualTo(130);
    assertThat(Files.readString(output()))
        .contains("interrupted after iteration", "checkpoint in " + run);
    int complete = Json.MAPPER.readTree(lastLine()).get("iterations").asInt();
    assertThat(Files.readAllLines(run.resolve("metrics.jsonl"))).hasSize(complete);

    String total = String.valueOf(complete + 5);
    Process resumed =
        start(
            "train",
            "--resume",
            run.toString(),
            "--iterations",
            total,
            "--evaluate",
            "0",
            "--json");
    assertThat(status(resumed)).isZero();
    String hash = Json.MAPPER.readTree(lastLine()).get("parameters_sha256").asText();
    Path straight = folder.resolve("straight");
    Process undisturbed =
        start(
            with(
                training,
                "--iterations",
                total,
                "--out",
                straight.toString(),
                "--evaluate",
                "0",
                "--iterations-per-call",
                "100"));
    assertThat(status(undisturbed)).isZero();
    assertThat(Json.MAPPER.readTree(lastLine()).get("parameters_sha256").asText()).isEqualTo(hash);
    assertThat(run.resolve("metrics.jsonl"))
        .hasSameBinaryContentAs(straight.resolve("metrics.jsonl"));
  }

  @Test
  void aSignalStopsAllSeedsAndTheRestIsGoneOnWith() throws Exception {
    Path runs = folder.resolve("runs");
    String[] training = {"train", "--env", "meeting", "--envs", "64", "--json"};
    Process process =
        start(with(training, "--iterations", "2000", "--seeds", "1..3", "--out", runs.toString()));
    await(process, runs.resolve("seed-2/metrics.jsonl"), 1000);
    signal(process, "INT");
    assertThat(status(process)).as(Files.readString(output())).isEqualTo(130);
    JsonNode stopped = Json.MAPPER.readTree(lastLine());
    assertThat(stopped.at("/interrupted").asBoolean()).isTrue();
    assertThat(stopped.at("/seeds/0/interrupted").asBoolean()).isFalse();
    assertThat(stopped.at("/seeds/1/interrupted").asBoolean()).isTrue();
    assertThat(runs.resolve("seed-1/result.json")).exists();
    assertThat(runs.resolve("seed-2/result.json")).doesNotExist();
    assertThat(runs.resolve("seed-3")).doesNotExist();
    Process resumed = start("train", "--resume", runs.toString(), "--json");
    assertThat(status(resumed)).as(Files.readString(output())).isZero();
    JsonNode seeds = Json.MAPPER.readTree(lastLine()).get("seeds");
    assertThat(seeds).hasSize(3);
    Process undisturbed =
        start(
            with(
                training,
                "--iterations",
                "2000",
                "--seed",
                "2",
                "--out",
                folder.resolve("alone").toString()));
    assertThat(status(undisturbed)).isZero();
    assertThat(Json.MAPPER.readTree(lastLine()).get("parameters_sha256"))
        .isEqualTo(seeds.get(1).get("parameters_sha256"));
  }

  /** The progress bar is there on a terminal only, and must leave the signal's handler alone. */
  @Test
  void controlCOnATerminalLeavesACheckpoint() throws Exception {
    Path run = folder.resolve("run");
    String line =
        command("train", "--env", "meeting", "--out", run.toString()).stream()
            .map(word -> "'" + word + "'")
            .collect(Collectors.joining(" "));
    Process process =
        start(List.of("script", "--quiet", "--return", "--command", line, "/dev/null"));
    await(process, run.resolve("metrics.jsonl"), 100_000);
    process.getOutputStream().write(3);
    process.getOutputStream().flush();
    assertThat(status(process)).as(Files.readString(output())).isEqualTo(130);
    assertThat(Files.readString(output())).contains("training", "interrupted after iteration");
  }

  @Test
  void aSignalInsideALongIterationDropsThatIteration() throws Exception {
    Path run = folder.resolve("run");
    Process process =
        start(
            "train",
            "--env",
            "simple_spread_v3",
            "--envs",
            "10000000",
            "--out",
            run.toString(),
            "--json");
    await(process, run.resolve(RunFolder.CHECKPOINT), 1);
    signal(process, "INT");
    assertThat(status(process)).as(Files.readString(output())).isEqualTo(130);
    assertThat(Json.MAPPER.readTree(lastLine()).get("iterations").asInt()).isZero();
    assertThat(run.resolve("metrics.jsonl")).isEmptyFile();
  }

  /** A lock that one process sees says nothing: the system keeps locks by process. */
  @Test
  void aRunThatAnotherProcessTrainsIsLeftAlone() throws Exception {
    Path run = folder.resolve("run");
    Process process =
        start("train", "--env", "meeting", "--iterations", "100000000", "--out", run.toString());
    await(process, run.resolve("metrics.jsonl"), 1000);
    Output output = Output.run("train", "--resume", run.toString(), "--seconds", "1");
    assertThat(output.err()).contains(run + " is in use by another");
    assertThat(output.status()).isEqualTo(1);
    signal(process, "INT");
    assertThat(status(process)).isEqualTo(130);
  }

  private static String[] with(String[] some, String... more) {
    List<String> all = new ArrayList<>(List.of(some));
    all.addAll(List.of(more));
    return all.toArray(String[]::new);
  }
}
