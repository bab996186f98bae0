// The command line as a user meets it: exit statuses, one-line errors, JSON last, run folders that
// resume exactly.
package org.swarmgrad.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.swarmgrad.cli.Output.run;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.swarmgrad.Checkpoint;
import org.swarmgrad.Swarmgrad;

class MainTest {
  @TempDir Path folder;

  /** A small training in `run`. */
  private Output train(Path run, String... more) {
    List<String> arguments = new ArrayList<>(List.of("train", "--json", "--evaluate", "50"));
    arguments.addAll(
        List.of(more).contains("--resume")
            ? List.of()
            : List.of("--env", "meeting", "--envs", "40", "--seed", "3", "--out", run.toString()));
    arguments.addAll(List.of(more));
    return run(arguments.toArray(String[]::new));
  }

  @Test
  void withoutACommandItListsThem() {
    Output output = run();
    assertThat(output.status()).isEqualTo(2);
    assertThat(output.out()).contains("train", "eval", "envs", "devices");
    assertThat(run("--help").status()).isZero();
  }

  @Test
  void itNamesItsVersion() {
    assertThat(run("--version").out()).isEqualTo("swarmgrad " + Swarmgrad.version() + "\n");
  }

  @Test
  void aResultThatCannotBeWrittenIsAFailure() {
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    OutputStream full =
        new OutputStream() {
          @Override
          public void write(int value) throws IOException {
            throw new IOException("no space left");
          }
        };
    int status =
        Main.run(
            new PrintStream(full, true, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8),
            "envs");
    assertThat(status).isEqualTo(1);
    assertThat(err.toString(StandardCharsets.UTF_8))
        .isEqualTo("swarmgrad: standard output was closed or could not be written\n");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "train", "eval", "compare", "verify", "bench", "trace", "batch", "envs", "devices"
      })
  void everyCommandHasHelpWithAnExample(String command) {
    Output output = run(command, "--help");
    assertThat(output.status()).isZero();
    assertThat(output.out())
        .contains("Usage: swarmgrad " + command, "--json", "Example: swarmgrad " + command);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          fly                                             | command is 'fly'; allowed: train, eval
          train                                           | --env is missing; allowed: simple_spread_v3
          train --env nope                                | environment is "nope"; known: simple_spread_v3
          train --env meeting --bogus                     | --bogus is no option of train; allowed: --env
          train --env meeting extra                       | 'extra' follows no option
          train --env meeting --seed                      | --seed has no value; allowed: --seed SEED
          train --env meeting --seed 1 --seed 2           | --seed is given more than once; allowed: once
          train --env meeting --seed -1                   | --seed is '-1'; allowed: whole numbers 0 to 2^64 - 1
          train --env meeting --envs 0                    | --envs is '0'; allowed: whole numbers 1 to 2147483647
          train --env meeting --envs 1                    | baseline is leave-one-out with 1 environment
          train --env meeting --envs 1e3                  | --envs is '1e3'; allowed: whole numbers 1 to 2147483647
          train --env meeting --threads 5000              | --threads is '5000'; allowed: whole numbers 0 to 4096
          train --env meeting --device tpu                | device is 'tpu'; allowed: cpu, cuda, cuda:INDEX, auto
          train --env meeting --isa sse2                  | isa is 'sse2'; allowed: auto, avx2, avx512, neon
          train --env meeting --policy mlp:0              | policy is 'mlp:0'; allowed: linear, or mlp:
          train --env meeting --weight gae                | weight is 'gae'; allowed: total-return, reward-to-go
          train --env meeting --baseline critic           | baseline is 'critic'; allowed: none, leave-one-out
          train --env meeting --discount 2                | discount is 2; allowed: 0 to 1
          train --env meeting --discount NaN              | --discount is 'NaN'; allowed: a finite number
          train --env meeting --entropy -1                | entropy-coefficient is -1; allowed: 0 to any finite float
          train --env meeting --learning-rate -1          | learning_rate is -1; allowed: 0 to any finite float
          train --env meeting --schedule linear           | learning_rate_schedule is linear with no end
          train --env meeting --iterations 0              | iterations is '0'; allowed: whole numbers from 1
          train --env meeting --seconds 0                 | seconds is '0'; allowed: above 0
          train --env meeting --until-return far          | until_return is 'far'; allowed: a finite number
          train --env meeting --until-return red=1        | until_return is 'red=1'; allowed: GROUP=X
          train --env meeting --param reward=lots         | reward is 'lots'; allowed: gift | team | independent
          train --env meeting --param colour=1            | 'colour' is no parameter of meeting
          train --env simple_spread_v3 --agents 2 --param agents=3 | parameter 'agents' is given more than once
          train --env simple_spread_v3 --training-param local_ratio=0 --training-param local_ratio=1 | parameter 'local_ratio' is given more than once
          train --env CartPole-v1 --agents 2              | 'agents' is no parameter of CartPole-v1
          train --env simple_spread_v3 --agents 0         | agents is 0; allowed: whole numbers 1 to
          train --env simple_spread_v3 --agents 99999     | agents is 99999; allowed: whole numbers 1 to
          train --env simple_spread_v3 --horizon 2147483647 --envs 2147483647 | horizon is 2147483647
          train --resume somewhere --out elsewhere        | --out is given together with --resume
          eval                                            | give --run FOLDER or --random --env ID
          eval --run a --random                           | give --run FOLDER or --random --env ID
          eval --run a --seed 4                           | --seed is given together with --run
          eval --random                                   | --env is missing; allowed: simple_spread_v3
          eval --random --env meeting --greedy            | --greedy is given together with --random
          eval --random --env meeting --episodes 0        | --episodes is '0'; allowed: whole numbers 1 to
          envs --describe nope                            | environment is "nope"; known: simple_spread_v3
          verify --device cuda:-1                         | device is 'cuda:-1'; allowed: cpu, cuda, cuda:INDEX, auto
          devices --bogus                                 | --bogus is no option of devices; allowed: --json
          """)
  void wrongUseIsStatus2AndOneLine(String line, String message) {
    Output output = run(line.split(" +"));
    assertThat(output.err()).contains(message).startsWith("swarmgrad: ").containsOnlyOnce("\n");
    assertThat(output.status()).isEqualTo(2);
    assertThat(output.out()).isEmpty();
  }

  @Test
  void failuresAreStatus1AndOneLine() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "x");
    Path broken = Files.createDirectory(folder.resolve("broken"));
    Files.writeString(broken.resolve(RunFolder.CHECKPOINT), "not a checkpoint");
    String[][] lines = {
      {"train", "--resume", folder.resolve("none").toString()},
      {"eval", "--run", folder.resolve("none").toString()},
      {"train", "--resume", broken.toString()},
      {"eval", "--run", broken.toString(), "--json"},
      {"train", "--env", "meeting", "--out", file.resolve("below").toString(), "--iterations", "1"},
      {"train", "--env", "meeting", "--out", folder.toString(), "--iterations", "1"},
      {"train", "--env", "meeting", "--out", "/proc/swarmgrad", "--iterations", "1"},
    };
    for (String[] line : lines) {
      Output output = run(line);
      assertThat(output.status()).as(String.join(" ", line)).isEqualTo(1);
      assertThat(output.err())
          .startsWith("swarmgrad: ")
          .containsOnlyOnce("\n")
          .doesNotContain("Exception");
    }
  }

  @Test
  void trainWritesARunFolderAndSaysWhatItDid() throws IOException {
    Path run = folder.resolve("run");
    Output output = train(run, "--iterations", "5");
    assertThat(output.err()).isEmpty();
    assertThat(output.status()).isZero();
    JsonNode json = output.json();
    assertThat(json.get("iterations").asLong()).isEqualTo(5);
    assertThat(json.get("agent_steps").asLong()).isEqualTo(5 * 40 * 2 * 2);
    assertThat(json.get("seconds").asDouble()).isPositive();
    assertThat(json.get("team_return_mean").isDouble()).isTrue();
    assertThat(json.get("parameters_sha256").asText()).matches("[0-9a-f]{64}");
    List<String> metrics = Files.readAllLines(run.resolve("metrics.jsonl"));
    assertThat(metrics).hasSize(5);
    assertThat(Json.MAPPER.readTree(metrics.get(4)).get("iteration").asInt()).isEqualTo(4);
    assertThat(Files.readAllLines(run.resolve("timing.jsonl"))).hasSize(5);
    JsonNode config = RunFolder.readConfig(run);
    assertThat(config.at("/config/environment").asText()).isEqualTo("meeting");
    assertThat(config.at("/limits/iterations").asLong()).isEqualTo(5);
  }

  @Test
  void withoutJsonItEndsWithTheHash() {
    Output output =
        run(
            "train",
            "--env",
            "meeting",
            "--iterations",
            "2",
            "--out",
            folder.resolve("run").toString());
    assertThat(output.status()).isZero();
    assertThat(output.out().lines().reduce((first, second) -> second))
        .hasValueSatisfying(last -> assertThat(last).matches("parameters_sha256 [0-9a-f]{64}"));
    assertThat(output.out()).contains("random play", "trained", "swarmgrad eval --run");
  }

  @Test
  void metricsAreAFunctionOfConfigurationAndIteration() throws IOException {
    String[] training = {
      "--iterations", "20", "--baseline", "learned-value", "--evaluate-every", "7"
    };
    Path one = folder.resolve("one");
    JsonNode expected = train(one, with(training, "--threads", "2")).json();
    for (JsonNode isa : run("devices", "--json").json().at("/cpu/instruction_sets")) {
      Path other = folder.resolve(isa.asText());
      String[] machine = {"--threads", "1", "--iterations-per-call", "6", "--isa", isa.asText()};
      JsonNode json = train(other, with(training, machine)).json();
      for (String name : List.of("parameters_sha256", "team_return_mean", "best_score")) {
        assertThat(json.get(name)).isEqualTo(expected.get(name));
      }
      for (String name : List.of("metrics.jsonl", "evaluations.jsonl")) {
        assertThat(other.resolve(name)).hasSameBinaryContentAs(one.resolve(name));
      }
    }
  }

  @Test
  void resumingIsAsIfNeverStopped() throws IOException {
    String[] schedule = {
      "--schedule", "cosine", "--schedule-iterations", "50", "--baseline", "previous-batch"
    };
    Path straight = folder.resolve("straight");
    Path stopped = folder.resolve("stopped");
    String expected =
        train(straight, with(schedule, "--iterations", "30"))
            .json()
            .get("parameters_sha256")
            .asText();
    train(stopped, with(schedule, "--iterations", "11"));
    // As a crash after the checkpoint would leave it: later lines, the last one cut.
    Path metrics = stopped.resolve("metrics.jsonl");
    Files.writeString(metrics, Files.readString(metrics) + "{\"iteration\":11}\n{\"itera");
    Output resumed =
        train(stopped, "--resume", stopped.toString(), "--iterations", "30", "--threads", "2");
    assertThat(resumed.err()).isEmpty();
    assertThat(resumed.json().get("parameters_sha256").asText()).isEqualTo(expected);
    assertThat(metrics).hasSameBinaryContentAs(straight.resolve("metrics.jsonl"));
    assertThat(Files.readAllLines(stopped.resolve("timing.jsonl"))).hasSize(30);
  }

  private static String[] with(String[] some, String... more) {
    List<String> all = new ArrayList<>(List.of(some));
    all.addAll(List.of(more));
    return all.toArray(String[]::new);
  }

  @Test
  void resumingRefusesAnotherTraining() {
    Path run = folder.resolve("run");
    train(run, "--iterations", "4");
    String[][] changes = {
      {"--seed", "4"},
      {"--policy", "mlp:9"},
      {"--envs", "41"},
      {"--learning-rate", "0.7"},
      {"--schedule", "linear", "--schedule-iterations", "9"},
      {"--param", "reward=team"},
      {"--env", "CartPole-v1"},
    };
    for (String[] change : changes) {
      Output output = train(run, with(change, "--resume", run.toString(), "--iterations", "6"));
      assertThat(output.status()).isEqualTo(2);
      assertThat(output.err()).contains("--resume goes on with the same training");
    }
    Output back = train(run, "--resume", run.toString(), "--iterations", "3");
    assertThat(back.status()).isEqualTo(2);
    assertThat(back.err()).contains("iterations is 3, the run is at 4");
    assertThat(train(run, "--resume", run.toString(), "--seed", "3", "--iterations", "6").status())
        .isZero();
  }

  @Test
  void aDamagedConfigurationIsNamed() throws IOException {
    Path run = folder.resolve("run");
    train(run, "--iterations", "2");
    Path config = Files.writeString(run.resolve("config.json"), "{limits");
    Output output = train(run, "--resume", run.toString(), "--iterations", "4");
    assertThat(output.status()).isEqualTo(1);
    assertThat(output.err()).contains(config + " is not JSON: ").containsOnlyOnce("\n");
  }

  @Test
  void untilReturnStopsAtTheReturn() throws IOException {
    Path run = folder.resolve("run");
    Output output = train(run, "--until-return", "agent=-1000000");
    assertThat(output.err()).isEmpty();
    assertThat(output.json().get("iterations").asLong()).isEqualTo(1);
  }

  @Test
  void evalPlaysARunOrRandomly() throws IOException {
    Path run = folder.resolve("run");
    train(run, "--iterations", "200", "--learning-rate", "0.05");
    JsonNode trained = run("eval", "--run", run.toString(), "--episodes", "3000", "--json").json();
    JsonNode greedy =
        run("eval", "--run", run.toString(), "--episodes", "3000", "--greedy", "--json").json();
    JsonNode random =
        run("eval", "--random", "--env", "meeting", "--episodes", "3000", "--json").json();
    assertThat(random.get("episodes").asLong()).isEqualTo(3000);
    assertThat(random.get("episode_length_mean").asDouble()).isEqualTo(2);
    assertThat(random.get("agent_return_mean").asDouble() * 2)
        .isCloseTo(random.get("team_return_mean").asDouble(), within(1e-12));
    assertThat(random.get("team_return_ci95").asDouble()).isBetween(0.001, 0.5);
    assertThat(trained.get("team_return_mean").asDouble())
        .isGreaterThan(random.get("team_return_mean").asDouble() + 0.5);
    assertThat(greedy.get("acting").asText()).isEqualTo("greedy");
    Output text = run("eval", "--run", run.toString(), "--episodes", "10");
    assertThat(text.out()).contains("team return", "10 episodes");
  }

  @Test
  void theCatalogueIsListedAndDescribed() throws IOException {
    assertThat(run("envs").out()).contains("simple_spread_v3", "meeting", "CartPole-v1");
    assertThat(run("envs", "--describe", "simple_spread_v3").out())
        .contains("local_ratio", "Observation");
    assertThat(run("envs", "--json").json().get("environments").size()).isGreaterThanOrEqualTo(3);
    assertThat(
            run("envs", "--describe", "meeting", "--json")
                .json()
                .at("/parameters/0/choices/1")
                .asText())
        .isEqualTo("team");
  }

  @Test
  void devicesDescribesTheProcessor() throws IOException {
    assertThat(run("devices").out()).contains("cores", "instruction sets");
    assertThat(run("devices", "--json").json().at("/cpu/instruction_sets").size()).isPositive();
  }

  @Test
  void aRunThatIsBeingTrainedIsLeftAlone() throws IOException {
    Path run = folder.resolve("run");
    train(run, "--iterations", "4");
    Path metrics = run.resolve("metrics.jsonl");
    byte[] before = Files.readAllBytes(metrics);
    try (RunFolder open = new RunFolder(run, Checkpoint.load(run.resolve(RunFolder.CHECKPOINT)))) {
      Output second = train(run, "--resume", run.toString(), "--iterations", "6");
      assertThat(second.status()).isEqualTo(1);
      assertThat(second.err()).contains(open.path() + " is in use by another training");
    }
    assertThat(metrics).hasBinaryContent(before);
  }
}
