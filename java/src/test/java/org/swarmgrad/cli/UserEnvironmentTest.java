// A user's own header on the command line: what is wrong with it is said with the line or the
// place, and what never ends is ended.
package org.swarmgrad.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.swarmgrad.cli.Output.run;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.swarmgrad.Checkpoint;
import org.swarmgrad.EngineConfig;
import org.swarmgrad.EnvironmentSpec;

class UserEnvironmentTest {
  @TempDir Path folder;

  /** The template under an id of its own, which a process gives away once. */
  private Path header(String id, String from, String to) throws IOException {
    String template = EnvironmentSpec.template();
    assertThat(template).contains(from);
    return Files.writeString(
        folder.resolve(id + ".hpp"),
        template.replace(from, to).replace("\"my_game\"", '"' + id + '"'));
  }

  private static int line(Path file, String text) throws IOException {
    List<String> lines = Files.readAllLines(file);
    for (int i = 0; i < lines.size(); i++) {
      if (lines.get(i).contains(text)) {
        return i + 1;
      }
    }
    throw new AssertionError(text + " is not in " + file);
  }

  private Output train(Path header, String... more) {
    List<String> arguments =
        new ArrayList<>(
            List.of("train", "--env", header.toString(), "--iterations", "3", "--evaluate", "40"));
    arguments.addAll(List.of("--envs", "40", "--out", folder.resolve("run").toString()));
    arguments.addAll(List.of(more));
    return run(arguments.toArray(String[]::new));
  }

  @Test
  void theCompilersMessagesNameTheLine() throws IOException {
    Path broken = header("broken", "caught[0] += reached[0];", "caught[0] += reeched[0];");
    Output output = train(broken);
    assertThat(output.status()).isEqualTo(1);
    assertThat(output.err())
        .contains(broken + ":" + line(broken, "reeched") + ":", "error: ", "reeched")
        .contains("swarmgrad: " + broken + " does not compile with ");
  }

  @Test
  void whatTheContractMissesIsSaidAtTheLastLine() throws IOException {
    Path lacking = header("lacking", "Float reward(int)", "Float rewards(int)");
    Output output = train(lacking);
    assertThat(output.status()).isEqualTo(1);
    assertThat(output.err())
        .contains(lacking + ":" + line(lacking, "SWARMGRAD_ENVIRONMENT(MyGame)") + ":")
        .contains("MyGame needs: Float reward(int agent)");

    Output unnamed = train(header("unnamed", "SWARMGRAD_ENVIRONMENT(MyGame);", ""));
    assertThat(unnamed.status()).isEqualTo(1);
    assertThat(unnamed.err())
        .contains("the header names no environment: let SWARMGRAD_ENVIRONMENT");
  }

  @Test
  void anIndexOutOfRangeIsAnErrorWithItsPlace() throws IOException {
    Output output =
        train(header("out_of_range", "cell[agent] = minimum", "cell[agent + 1] = minimum"));
    assertThat(output.status()).isEqualTo(1);
    assertThat(output.err())
        .contains(
            "out_of_range, iteration 0, environment 0, step 0: act(agent 1) uses index 2 of cell;")
        .contains("allowed: 0 to 1");
  }

  @Test
  void aRunGoesOnWithTheBitsOfAnUndisturbedOne() throws IOException {
    Path header = header("resumed", "2, 1, 64", "3, 1, 64");
    Path run = folder.resolve("run");
    assertThat(train(header).status()).isZero();
    assertThat(run.resolve("environment/resumed.hpp")).hasSameTextualContentAs(header);
    Output resumed =
        run("train", "--resume", run.toString(), "--iterations", "5", "--evaluate", "0");
    assertThat(resumed.status()).as(resumed.err()).isZero();
    Output whole =
        run(
            "train",
            "--env",
            header.toString(),
            "--iterations",
            "5",
            "--envs",
            "40",
            "--evaluate",
            "0",
            "--out",
            folder.resolve("whole").toString());
    assertThat(hash(resumed)).isEqualTo(hash(whole));
    assertThat(Checkpoint.load(run.resolve(RunFolder.CHECKPOINT)).config().environment())
        .isEqualTo(EnvironmentSpec.compile(header));
    assertThat(EngineConfig.of(EnvironmentSpec.compile(header)).toMap())
        .containsEntry("environment", "resumed")
        .containsEntry("environment_source", header.toString())
        .containsKey("environment_sha256");
  }

  private static String hash(Output output) {
    return output
        .out()
        .lines()
        .filter(line -> line.startsWith("parameters_sha256"))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void whatIsNoFileIsNamed() {
    Path missing = folder.resolve("missing.hpp");
    Output output = train(missing);
    assertThat(output.status()).isEqualTo(2);
    assertThat(output.err()).contains("environment is '" + missing + "', which is no file");
  }

  @Test
  void aStepThatNeverEndsIsEndedAndLeavesAValidRun() throws Exception {
    Path header =
        header(
            "endless",
            "Mask someone = false;",
            "Mask someone = false; for (volatile int k = 0; k == 0;) {}");
    Path run = folder.resolve("run");
    Path output = folder.resolve("output");
    ProcessBuilder builder =
        new ProcessBuilder(
            InterruptTest.command(
                "train", "--env", header.toString(), "--out", run.toString(), "--seconds", "1"));
    builder.environment().put("JDK_JAVA_OPTIONS", "-D" + Stall.PROPERTY + "=2");
    Process process = builder.redirectErrorStream(true).redirectOutput(output.toFile()).start();
    try {
      assertThat(process.waitFor(5, TimeUnit.MINUTES)).isTrue();
    } finally {
      process.destroyForcibly();
    }
    assertThat(Files.readString(output))
        .contains("swarmgrad: endless, iteration 0: no step has ended for 2.0 s");
    assertThat(process.exitValue()).isEqualTo(1);
    Checkpoint checkpoint = Checkpoint.load(run.resolve(RunFolder.CHECKPOINT));
    assertThat(checkpoint.iteration()).isZero();
    assertThat(run.resolve("metrics.jsonl")).isEmptyFile();
  }

  @Test
  void theTemplateIsWrittenOnce() throws Exception {
    Path output = folder.resolve("output");
    for (int status : new int[] {0, 1}) {
      Process process =
          new ProcessBuilder(InterruptTest.command("new-env", "own_game_2"))
              .directory(folder.toFile())
              .redirectErrorStream(true)
              .redirectOutput(output.toFile())
              .start();
      assertThat(process.waitFor()).isEqualTo(status);
    }
    assertThat(Files.readString(output))
        .contains("own_game_2.hpp exists already; allowed: a new name");
    assertThat(folder.resolve("own_game_2.hpp"))
        .content()
        .contains("struct OwnGame2 {", "id = \"own_game_2\"", "SWARMGRAD_ENVIRONMENT(OwnGame2);");
    assertThat(run("new-env", "Game").err())
        .contains("the name is 'Game'; allowed: one word of small");
  }
}
