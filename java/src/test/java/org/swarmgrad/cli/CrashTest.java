// Whatever ends a training leaves a run folder that plays and goes on: kill -9 at any time, a full
// disk, numbers that are none.
package org.swarmgrad.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.swarmgrad.cli.Output.run;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.swarmgrad.Checkpoint;
import org.swarmgrad.Cohort;
import org.swarmgrad.Engine;
import org.swarmgrad.EngineConfig;
import org.swarmgrad.JavaEnvironment;
import org.swarmgrad.JavaMeeting;
import org.swarmgrad.NumericException;
import org.swarmgrad.Schedule;
import org.swarmgrad.Trainer;

class CrashTest {
  /** More of them with -Dtest.kills=100. */
  private static final int KILLS = Integer.getInteger("test.kills", 5);

  @TempDir Path folder;

  private Path output() {
    return folder.resolve("output");
  }

  /** A training that checkpoints all the time. */
  private static List<String> training(Path run) {
    List<String> beginning =
        List.of("--env", "meeting", "--envs", "20", "--evaluate-every", "7", "--out");
    List<String> arguments = new ArrayList<>(List.of("train"));
    arguments.addAll(Files.exists(run) ? List.of("--resume") : beginning);
    arguments.addAll(
        List.of(run.toString(), "--checkpoint-every", "3", "--evaluate-episodes", "20"));
    arguments.addAll(List.of("--iterations", "100000000"));
    return arguments;
  }

  private Process start(List<String> command) throws IOException {
    return new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(output().toFile())
        .start();
  }

  /** That eval and --resume accept a folder, and that its logs are those of an undisturbed run. */
  private void checkWhole(Path run) throws IOException {
    Output eval = run("eval", "--run", run.toString(), "--best", "--episodes", "10");
    assertThat(eval.status()).as(eval.err()).isZero();
    long iteration = Checkpoint.load(run.resolve(RunFolder.CHECKPOINT)).iteration();
    Output resumed =
        run(
            "train",
            "--resume",
            run.toString(),
            "--iterations",
            String.valueOf(iteration + 2),
            "--evaluate",
            "0");
    assertThat(resumed.status()).as(resumed.err()).isZero();
    assertThat(run.resolve("result.json")).exists();
    assertThat(Files.readAllLines(run.resolve("metrics.jsonl"))).hasSize((int) iteration + 2);
  }

  private void checkLikeUndisturbed(Path run) throws IOException {
    Path straight = folder.resolve("straight");
    long iteration = Checkpoint.load(run.resolve(RunFolder.CHECKPOINT)).iteration();
    Output undisturbed =
        run(
            "train",
            "--config",
            run.resolve("config.json").toString(),
            "--iterations",
            String.valueOf(iteration),
            "--evaluate",
            "0",
            "--out",
            straight.toString());
    assertThat(undisturbed.status()).as(undisturbed.err()).isZero();
    for (String name : List.of("metrics.jsonl", "evaluations.jsonl")) {
      assertThat(run.resolve(name)).hasSameBinaryContentAs(straight.resolve(name));
    }
    try (var files = Files.list(run)) {
      assertThat(files.map(file -> file.getFileName().toString()))
          .containsExactlyInAnyOrder(
              "config.json",
              RunFolder.CHECKPOINT,
              RunFolder.BEST,
              "metrics.jsonl",
              "timing.jsonl",
              "evaluations.jsonl",
              "result.json");
    }
  }

  @Test
  void killedAtAnyTimeARunGoesOn() throws Exception {
    Path run = folder.resolve("run");
    Random random = new Random();
    for (int kill = 0; kill < KILLS; kill++) {
      Process process = start(InterruptTest.command(training(run).toArray(String[]::new)));
      // The first kills meet the making of the folder, later ones the writing of checkpoints.
      long wait = kill % 3 == 0 ? 100 + random.nextInt(900) : 500 + random.nextInt(2000);
      assertThat(process.waitFor(wait, TimeUnit.MILLISECONDS))
          .as(() -> "ended by itself: " + output())
          .isFalse();
      process.destroyForcibly().waitFor();
      if (Files.exists(run)) {
        checkWhole(run);
      }
    }
    if (Files.exists(run)) {
      checkLikeUndisturbed(run);
    }
  }

  /** A limit on the size of files stands for a full disk: a write ends in the middle. */
  @Test
  void aFullDiskLeavesTheLastCheckpoint() throws Exception {
    Path run = folder.resolve("run");
    String command =
        InterruptTest.command(training(run).toArray(String[]::new)).stream()
            .map(word -> "'" + word + "'")
            .collect(Collectors.joining(" "));
    // In KiB; the JVM's own files are below it.
    Process process = start(List.of("bash", "-c", "ulimit -f 64; exec " + command));
    assertThat(process.waitFor(5, TimeUnit.MINUTES)).isTrue();
    assertThat(process.exitValue()).as(Files.readString(output())).isEqualTo(1);
    assertThat(Files.readString(output()))
        .contains(
            "metrics.jsonl cannot be written: File too large; the folder keeps the checkpoint")
        .doesNotContain("Exception");
    assertThat(run.resolve("metrics.jsonl")).hasSize(64 << 10);
    checkWhole(run);
    checkLikeUndisturbed(run);
  }

  private static final String[] EXPLODING = {
    "train --json --env meeting --set optimizer=sgd --set learning_rate=1e-9",
    "--set final_learning_rate=3e38 --set learning_rate_iterations=2 --reward-scale 1000",
    "--iterations 4 --checkpoint-every 1"
  };

  private Output explode(Path run, String... more) {
    List<String> arguments = new ArrayList<>(List.of(String.join(" ", EXPLODING).split(" ")));
    arguments.addAll(List.of("--out", run.toString()));
    arguments.addAll(List.of(more));
    return run(arguments.toArray(String[]::new));
  }

  @Test
  void anExplodingUpdateLeavesTheLastCheckpoint() {
    Path run = folder.resolve("run");
    Output output = explode(run);
    assertThat(output.status()).isEqualTo(1);
    assertThat(output.err())
        .contains("iteration 1, group agent: the update left parameters that are not finite")
        .contains("; the last good checkpoint, of iteration 1, is in " + run);
    assertThat(Checkpoint.load(run.resolve(RunFolder.CHECKPOINT)).iteration()).isEqualTo(1);
    assertThat(run("eval", "--run", run.toString(), "--episodes", "10").status()).isZero();
  }

  @Test
  void aSeedThatExplodesKeepsNoOtherFromItsTraining() throws IOException {
    Path runs = folder.resolve("runs");
    Output output = explode(runs, "--seeds", "1..2");
    assertThat(output.status()).isEqualTo(1);
    assertThat(output.err()).contains("seed-1", "seed-2");
    assertThat(Json.MAPPER.readTree(output.out()).get("failed").toString()).isEqualTo("[1,2]");
    Output again = run("train", "--json", "--resume", runs.toString());
    assertThat(Json.MAPPER.readTree(again.out()).get("failed").toString()).isEqualTo("[1,2]");
  }

  @Test
  void aRewardThatIsNoNumberLeavesTheLastCheckpoint() {
    AtomicBoolean broken = new AtomicBoolean();
    JavaEnvironment meeting =
        JavaEnvironment.of(
            "sometimes_nan",
            () ->
                new JavaMeeting() {
                  @Override
                  public void step(Cohort cohort) throws Exception {
                    super.step(cohort);
                    if (broken.get() && cohort.step() == 1 && cohort.environment(0) == 0) {
                      cohort.reward(1, 4, Float.NaN);
                    }
                  }
                });
    EngineConfig config = EngineConfig.builder(meeting).environments(20).build();
    Path file = folder.resolve("checkpoint");
    try (Engine engine = Engine.open(config)) {
      Trainer trainer = new Trainer(engine, Schedule.constant(0.01));
      trainer.checkpoints(file).checkpointEvery(1);
      trainer.onBatch(batch -> broken.set(batch.iteration() == 4));
      assertThatThrownBy(() -> trainer.train(9))
          .isInstanceOf(NumericException.class)
          .hasMessage(
              "java:sometimes_nan, iteration 5, environment 4, agent 1, step 1:"
                  + " the reward is not finite");
    }
    Checkpoint checkpoint = Checkpoint.load(file);
    assertThat(checkpoint.iteration()).isEqualTo(5);
    broken.set(false);
    try (Engine resumed = Engine.open(config);
        Engine straight = Engine.open(config)) {
      Trainer.resume(resumed, checkpoint).train(4);
      new Trainer(straight, Schedule.constant(0.01)).train(9);
      assertThat(resumed.parametersSha256()).isEqualTo(straight.parametersSha256());
    }
  }
}
