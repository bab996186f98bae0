// Configuration files, evaluations on the way and several seeds, as a user of the command line
// meets
// them.
package org.swarmgrad.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.swarmgrad.cli.Output.run;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.swarmgrad.Checkpoint;
import org.swarmgrad.EnvironmentSpec;
import org.swarmgrad.Evaluation;

class TrainRunsTest {
  @TempDir Path folder;

  private static Output train(String... arguments) {
    List<String> all = new ArrayList<>(List.of("train", "--json", "--evaluate", "30"));
    all.addAll(List.of(arguments));
    return run(all.toArray(String[]::new));
  }

  private Output small(String name, String... more) {
    List<String> all = new ArrayList<>(List.of("--env", "meeting", "--set", "environments=40"));
    all.addAll(List.of("--out", folder.resolve(name).toString()));
    all.addAll(List.of(more));
    Output output = train(all.toArray(String[]::new));
    assertThat(output.err()).isEmpty();
    return output;
  }

  private Path file(String text) throws IOException {
    return Files.writeString(folder.resolve("file.json"), text);
  }

  private JsonNode config(String name) throws IOException {
    return RunFolder.readConfig(folder.resolve(name));
  }

  @Test
  void theFileOfARunStartsAnotherWithTheSameBits() throws IOException {
    Output first =
        small("first", "--iterations", "6", "--schedule", "cosine", "--evaluate-every", "2");
    Output second =
        train(
            "--config",
            folder.resolve("first/config.json").toString(),
            "--out",
            folder.resolve("second").toString());
    assertThat(second.json().get("parameters_sha256"))
        .isEqualTo(first.json().get("parameters_sha256"));
    for (String name : List.of("config.json", "metrics.jsonl", "evaluations.jsonl")) {
      assertThat(folder.resolve("second").resolve(name))
          .hasSameBinaryContentAs(folder.resolve("first").resolve(name));
    }
  }

  @Test
  void optionsGoBeforeSetAndSetBeforeTheFileAndTheFileBeforeDefaults() throws IOException {
    Path file =
        file(
            """
            // Comments are for people.
            {
              "environment": "meeting", /* groups are for readers only */
              "anything": {"learning_rate": 0.25, "environments": 30, "seed": 5},
              "seconds": 900
            }
            """);
    Output output =
        train(
            "--config",
            file.toString(),
            "--set",
            "environments=31",
            "--set",
            "seed=6",
            "--seed",
            "18446744073709551615",
            "--set",
            "iterations=2",
            "--out",
            folder.resolve("run").toString());
    assertThat(output.err()).isEmpty();
    JsonNode config = config("run");
    assertThat(config.at("/schedules/learning_rate").asDouble()).isEqualTo(0.25);
    assertThat(config.at("/config/environments").asLong()).isEqualTo(31);
    assertThat(config.at("/config/seed").asText()).isEqualTo("18446744073709551615");
    assertThat(config.at("/config/policy").asText())
        .isEqualTo(TrainDefaults.of(EnvironmentSpec.of("meeting")).config().toMap().get("policy"));
    assertThat(config.at("/limits").toString()).isEqualTo("{\"iterations\":2}");
  }

  @Test
  void aScheduleOfAnotherKindEndsWhereTheTrainingDoes() throws IOException {
    small("run", "--iterations", "3", "--set", "learning_rate_schedule=linear");
    assertThat(config("run").at("/schedules/learning_rate_iterations").asLong()).isEqualTo(3);
    assertThat(config("run").at("/schedules/final_learning_rate").asDouble()).isZero();
    // The limit is another one, the schedule is not.
    train(
        "--config",
        folder.resolve("run/config.json").toString(),
        "--iterations",
        "5",
        "--out",
        folder.resolve("longer").toString());
    assertThat(config("longer").at("/schedules/learning_rate_iterations").asLong()).isEqualTo(3);
    assertThat(config("longer").at("/limits/iterations").asLong()).isEqualTo(5);
  }

  @Test
  void whatIsUsuallyOneValueIsOneUnlessTwoAreGiven() throws IOException {
    small("one", "--iterations", "2", "--learning-rate", "0.5", "--entropy", "0.25");
    assertThat(config("one").at("/schedules/value_learning_rate").asDouble()).isEqualTo(0.5);
    assertThat(config("one").at("/config/entropy_coefficient").asDouble()).isEqualTo(0.25);
    assertThat(config("one").at("/schedules/final_entropy").asDouble()).isEqualTo(0.25);
    small(
        "two",
        "--iterations",
        "2",
        "--set",
        "learning_rate=0.5",
        "--set",
        "value_learning_rate=0.125",
        "--set",
        "entropy_coefficient=0.25",
        "--final-entropy",
        "0");
    JsonNode schedules = config("two").at("/schedules");
    assertThat(schedules.get("value_learning_rate").asDouble()).isEqualTo(0.125);
    assertThat(schedules.get("entropy").asDouble()).isEqualTo(0.25);
    assertThat(schedules.get("final_entropy").asDouble()).isZero();
    assertThat(schedules.get("entropy_schedule").asText()).isEqualTo("linear");
    assertThat(schedules.get("entropy_iterations").asLong()).isEqualTo(2);
    small("three", "--iterations", "2", "--set", "entropy_iterations=5", "--final-entropy", "0.5");
    assertThat(config("three").at("/schedules/entropy_iterations").asLong()).isEqualTo(5);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          {"colour": 1}                        | 'colour', no key of the configuration; allowed: [adam_beta1
          {"a": {"environments": true}}        | environments is 'true'; allowed: a whole number
          {"discount": 1.5}                    | discount is 1.5; allowed: 0 to 1
          {"discount": [1]}                    | discount is [1]; allowed: a text, a number, true or false
          {"a": {"seed": 1}, "seed": 1}        | gives seed more than once; allowed: once
          {"seed": 1, "seed": 1}               | is not JSON: Duplicate field 'seed' at line 1
          {"seed": 1                           | is not JSON: Unexpected end-of-input
          {} {}                                | is not JSON: Trailing token
          [1]                                  | holds no JSON object
          {"best_group": "red"}                | best-group is 'red'; allowed: sum, or one of [agent]
          {"evaluate_every": -1}               | evaluate-every is -1; allowed: 0 to
          {"seeds": "5..1"}                    | seeds is '5..1'; allowed: FIRST..LAST, or numbers
          """)
  void wrongFilesAreNamed(String text, String message) throws IOException {
    Output output = train("--env", "meeting", "--config", file(text).toString());
    assertThat(output.err()).contains(message).startsWith("swarmgrad: ").containsOnlyOnce("\n");
    assertThat(output.status()).isPositive();
    assertThat(folder.resolve("runs")).doesNotExist();
  }

  @Test
  void theConfigurationIsPrintedWhole() throws IOException {
    Output output =
        run(
            "train",
            "--env",
            "meeting",
            "--iterations",
            "1",
            "--out",
            folder.resolve("run").toString());
    for (JsonNode group : config("run")) {
      group
          .properties()
          .forEach(
              entry ->
                  assertThat(output.out())
                      .containsPattern(
                          "\n  " + entry.getKey() + " +" + entry.getValue().asText() + "\n"));
    }
  }

  @Test
  void evaluationsOnTheWayChangeNoBitAndKeepTheBest() throws IOException {
    Output plain = small("plain", "--iterations", "25");
    String[] evaluating = {"--evaluate-every", "4", "--evaluate-episodes", "60"};
    Output output = small("run", with(evaluating, "--iterations", "25"));
    assertThat(output.json().get("parameters_sha256"))
        .isEqualTo(plain.json().get("parameters_sha256"));
    List<String> lines = Files.readAllLines(folder.resolve("run/evaluations.jsonl"));
    assertThat(lines).hasSize(7);
    JsonNode best = null;
    for (String line : lines) {
      JsonNode evaluated = Json.MAPPER.readTree(line);
      assertThat(evaluated.get("score")).isEqualTo(evaluated.get("team_return_mean"));
      if (best == null || evaluated.get("score").asDouble() > best.get("score").asDouble()) {
        assertThat(evaluated.get("best").asBoolean()).isTrue();
        best = evaluated;
      } else {
        assertThat(evaluated.get("best").asBoolean()).isFalse();
      }
    }
    assertThat(output.json().get("best_score")).isEqualTo(best.get("score"));
    Checkpoint kept = Checkpoint.load(folder.resolve("run").resolve(RunFolder.BEST));
    assertThat(kept.iteration()).isEqualTo(best.get("iteration").asLong());
    assertThat(kept.found())
        .contains(
            new Evaluation.Found(kept.iteration(), kept.iteration(), best.get("score").asDouble()));
    JsonNode eval =
        run("eval", "--run", folder.resolve("run").toString(), "--best", "--json").json();
    assertThat(eval.get("team_return_mean").asDouble())
        .isCloseTo(best.get("score").asDouble(), within(2.0));
    assertThat(run("eval", "--run", folder.resolve("plain").toString(), "--best").err())
        .contains("has no best.safetensors: it is written by train --evaluate-every COUNT");
  }

  @Test
  void evaluationsGoOnExactlyAfterResuming() throws IOException {
    String[] evaluating = {"--evaluate-every", "3", "--evaluate-episodes", "20"};
    small("straight", with(evaluating, "--iterations", "17"));
    small("stopped", with(evaluating, "--iterations", "5"));
    for (String total : List.of("6", "10", "17")) {
      Output output =
          train("--resume", folder.resolve("stopped").toString(), "--iterations", total);
      assertThat(output.err()).isEmpty();
    }
    for (String name : List.of("metrics.jsonl", "evaluations.jsonl", RunFolder.BEST)) {
      assertThat(folder.resolve("stopped").resolve(name))
          .hasSameBinaryContentAs(folder.resolve("straight").resolve(name));
    }
    Output changed =
        train(
            "--resume",
            folder.resolve("stopped").toString(),
            "--evaluate-every",
            "4",
            "--iterations",
            "20");
    assertThat(changed.err())
        .contains("--resume goes on with the same training", "evaluate_every: 3, 4");
    Output ended =
        run("train", "--resume", folder.resolve("stopped").toString(), "--lambda", "0.5");
    assertThat(ended.err()).contains("--resume goes on with the same training", "lambda: 1, 0.5");
  }

  @Test
  void untilReturnCountsOnTheEvaluationWhereThereIsOne() throws IOException {
    Output output =
        small("run", "--evaluate-every", "5", "--until-return", "-1000", "--seconds", "100");
    assertThat(output.json().get("iterations").asLong()).isZero();
    assertThat(Files.readAllLines(folder.resolve("run/evaluations.jsonl"))).hasSize(1);
  }

  @Test
  void aRunThatIsDoneTrainsNoFurtherUnasked() throws IOException {
    Output first = small("run", "--iterations", "3");
    Output again = train("--resume", folder.resolve("run").toString());
    assertThat(again.status()).isZero();
    assertThat(again.json()).isEqualTo(first.json());
    Output more = train("--resume", folder.resolve("run").toString(), "--iterations", "4");
    assertThat(more.json().get("iterations").asLong()).isEqualTo(4);
  }

  @Test
  void severalSeedsAreSummarisedAndEachIsATrainingOfItsOwn() throws IOException {
    Output output = small("runs", "--seeds", "1..2,9", "--iterations", "4");
    JsonNode json = output.json();
    assertThat(json.get("seeds")).hasSize(3);
    double[] means = new double[3];
    for (int i = 0; i < 3; i++) {
      means[i] = json.at("/seeds/" + i + "/team_return_mean").asDouble();
    }
    double mean = (means[0] + means[1] + means[2]) / 3;
    assertThat(json.at("/team_return/mean").asDouble()).isCloseTo(mean, within(1e-12));
    assertThat(json.at("/team_return/median").asDouble()).isIn(means[0], means[1], means[2]);
    assertThat(json.at("/team_return/ci95").asDouble()).isPositive();
    assertThat(Json.MAPPER.readTree(folder.resolve("runs/summary.json").toFile())).isEqualTo(json);

    Output alone = small("alone", "--seed", "9", "--iterations", "4");
    assertThat(json.at("/seeds/2/parameters_sha256"))
        .isEqualTo(alone.json().get("parameters_sha256"));
    assertThat(folder.resolve("runs/seed-9/config.json"))
        .hasSameBinaryContentAs(folder.resolve("alone/config.json"));
    Output from =
        train(
            "--config",
            folder.resolve("runs/config.json").toString(),
            "--out",
            folder.resolve("again").toString());
    assertThat(from.json().at("/team_return")).isEqualTo(json.at("/team_return"));
  }

  @Test
  void severalSeedsGoOnWithWhatIsLeft() throws IOException {
    Path runs = folder.resolve("runs");
    Output whole = small("runs", "--seeds", "1..3", "--iterations", "8", "--evaluate-every", "3");
    // As if it had been killed in the second seed.
    Path second = runs.resolve("seed-2");
    deleteTree(runs.resolve("seed-3"));
    deleteTree(second);
    Files.delete(runs.resolve("summary.json"));
    Output stopped =
        train(
            "--config",
            runs.resolve("seed-1/config.json").toString(),
            "--seed",
            "2",
            "--iterations",
            "4",
            "--out",
            second.toString());
    assertThat(stopped.err()).isEmpty();
    Files.delete(second.resolve("result.json"));
    Files.copy(runs.resolve("seed-1/config.json"), folder.resolve("kept"));
    Files.writeString(
        second.resolve("config.json"),
        Files.readString(folder.resolve("kept")).replace("\"seed\" : 1", "\"seed\" : 2"));
    Output output = train("--resume", runs.toString());
    assertThat(output.err()).isEmpty();
    assertThat(output.json().at("/team_return")).isEqualTo(whole.json().at("/team_return"));
    assertThat(output.json().at("/best_score")).isEqualTo(whole.json().at("/best_score"));
    assertThat(train("--resume", runs.toString(), "--seeds", "1..4").err())
        .contains("--seeds is given together with --resume");
    Output further = train("--resume", runs.toString(), "--iterations", "9");
    assertThat(further.json().at("/agent_steps/mean").asDouble()).isEqualTo(9 * 40 * 2 * 2);
  }

  @Test
  void runsAreComparedWithIntervals() throws IOException {
    Path three = folder.resolve("three");
    small("three", "--seeds", "1..3", "--iterations", "3");
    small("two", "--seeds", "4,5", "--iterations", "30", "--learning-rate", "0.03");
    small("one", "--iterations", "3", "--evaluate-every", "2", "--evaluate-episodes", "10");
    String[] folders = {
      "compare",
      three.toString(),
      folder.resolve("two").toString(),
      folder.resolve("one").toString(),
      three.resolve("seed-2").toString()
    };
    JsonNode runs = run(with(folders, "--json")).json().get("runs");
    JsonNode summary = Json.MAPPER.readTree(three.resolve("summary.json").toFile());
    assertThat(runs.at("/0/team_return/mean").asDouble())
        .isCloseTo(summary.at("/team_return/mean").asDouble(), within(1e-12));
    assertThat(runs.at("/0/team_return/ci95").asDouble())
        .isCloseTo(summary.at("/team_return/ci95").asDouble(), within(1e-12));
    assertThat(runs.at("/1/minus_first/mean").asDouble())
        .isCloseTo(
            runs.at("/1/team_return/mean").asDouble() - runs.at("/0/team_return/mean").asDouble(),
            within(1e-12));
    assertThat(runs.at("/1/minus_first/ci95").asDouble()).isPositive();
    // Seeds and episodes are spread in different ways: no difference is made of them.
    assertThat(runs.get(2).has("minus_first")).isFalse();
    assertThat(runs.at("/2/interval_over").asText()).isEqualTo("episodes");
    assertThat(runs.at("/2/best_score").isDouble()).isTrue();
    assertThat(run(folders).out().lines()).hasSize(5);
    Output singles = run("compare", folders[3], folders[4], "--json");
    assertThat(singles.json().at("/runs/1/minus_first/ci95").asDouble()).isPositive();
    Files.delete(folder.resolve("one/result.json"));
    Output ended = run("compare", folders[3]);
    assertThat(ended.err()).contains("one has no result: its training has not ended");
    assertThat(ended.status()).isEqualTo(1);
    assertThat(run("compare").err()).contains("no folder is given");
    assertThat(run("compare", folder.toString()).err()).endsWith("allowed: --out of a train\n");
  }

  @Test
  void evalShowsBothWaysOfActingAndEverySeed() throws IOException {
    small("runs", "--seeds", "1..2", "--iterations", "20");
    String[] eval = {"eval", "--run", folder.resolve("runs").toString(), "--episodes", "50"};
    JsonNode json = run(with(eval, "--json")).json();
    assertThat(json.get("seeds")).hasSize(2);
    JsonNode seed =
        run("eval", "--run", folder.resolve("runs/seed-2").toString(), "--episodes", "50", "--json")
            .json();
    assertThat(json.at("/seeds/1/team_return_mean")).isEqualTo(seed.get("team_return_mean"));
    assertThat(seed.at("/greedy/team_return_mean")).isNotEqualTo(seed.get("team_return_mean"));
    assertThat(json.at("/team_return/mean").isDouble()).isTrue();
    assertThat(json.at("/greedy/team_return/mean").isDouble()).isTrue();
    assertThat(run(eval).out()).contains("sampled actions", "greedy actions", "over 2 seeds");
    assertThat(run(with(eval, "--sampled", "--greedy")).err())
        .contains("--greedy is given together with --sampled");
  }

  @Test
  void oneGroupMayPlayRandomly() throws IOException {
    Path tag = folder.resolve("tag");
    Output trained =
        train(
            "--env",
            "simple_tag_v3",
            "--envs",
            "32",
            "--iterations",
            "20",
            "--out",
            tag.toString());
    assertThat(trained.err()).isEmpty();
    String[] eval = {"eval", "--run", tag.toString(), "--episodes", "200", "--sampled", "--json"};
    JsonNode both = run(eval).json();
    JsonNode against = run(with(eval, "--random-group", "good")).json();
    assertThat(against.at("/good/actions").asText()).isEqualTo("random");
    assertThat(against.at("/adversary/actions").asText()).isEqualTo("sampled");
    assertThat(against.at("/good/team_return_mean"))
        .isNotEqualTo(both.at("/good/team_return_mean"));
    JsonNode none = run(with(eval, "--random-group", "good", "--random-group", "adversary")).json();
    JsonNode random =
        run("eval", "--random", "--env", "simple_tag_v3", "--episodes", "200", "--json").json();
    assertThat(none.at("/adversary/team_return_mean"))
        .isEqualTo(random.at("/adversary/team_return_mean"));
    assertThat(run(with(eval, "--random-group", "red")).err())
        .contains("--random-group is 'red'; allowed: one of [adversary, good]");
  }

  @Test
  void aWrongUseOfSeveralSeedsLeavesNoFolder() {
    Path runs = folder.resolve("runs");
    Output output =
        train(
            "--env",
            "meeting",
            "--seeds",
            "1..3",
            "--until-return",
            "red=1",
            "--out",
            runs.toString());
    assertThat(output.err()).contains("until_return is 'red=1'");
    assertThat(runs).doesNotExist();
    assertThat(folder).isEmptyDirectory();
    Output both = train("--env", "meeting", "--seeds", "1..3", "--seed", "4");
    assertThat(both.err()).contains("--seed is given together with --seeds");
  }

  private static void deleteTree(Path tree) throws IOException {
    try (Stream<Path> files = Files.walk(tree)) {
      for (Path file : files.sorted((first, second) -> second.compareTo(first)).toList()) {
        Files.delete(file);
      }
    }
  }

  private static String[] with(String[] some, String... more) {
    List<String> all = new ArrayList<>(List.of(some));
    all.addAll(List.of(more));
    return all.toArray(String[]::new);
  }
}
