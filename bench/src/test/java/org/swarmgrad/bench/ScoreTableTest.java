// Runs the table of scores on a tiny row of its own with the real command, and holds its judgements
// against cases worked out by hand. No time and no score of a real row is judged.
package org.swarmgrad.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.swarmgrad.EnvironmentSpec;

class ScoreTableTest {
  /** The command line on the class path of this test, in place of the launcher, which may build. */
  private static final List<String> COMMAND =
      List.of(
          Path.of(System.getProperty("java.home"), "bin", "java").toString(),
          "--enable-native-access=ALL-UNNAMED",
          "-cp",
          System.getProperty("java.class.path"),
          "org.swarmgrad.cli.Main");

  private static List<ScoreRow> rows(Path folder, String json) throws IOException {
    return ScoreRow.read(Files.writeString(folder.resolve("rows.json"), json));
  }

  @Test
  void aRowIsTrainedAndJudged(@TempDir Path folder) throws Exception {
    List<ScoreRow> rows =
        rows(
            folder,
            """
            [{"name": "tiny", "environment": "stag_hunt", "source": "hares pay 3 each",
              "arguments": ["--envs", "32", "--iterations", "3", "--evaluate", "0", "--threads", "1"],
              "target": 1, "seconds": 1000},
             {"name": "broken", "environment": "nowhere", "target": 1, "seconds": 1, "source": "none"}]
            """);
    assertThat(new ScoreTable(COMMAND, folder, 40).measure(rows, "7")).isEqualTo(1);
    JsonNode results = new ObjectMapper().readTree(folder.resolve("scores.json").toFile());
    assertThat(results).hasSize(2);
    JsonNode row = results.get(0);
    assertThat(row.path("row").asText()).isEqualTo("tiny");
    assertThat(row.path("holds").asBoolean()).isTrue();
    assertThat(row.path("random").asDouble()).isBetween(3.0, 7.0);
    JsonNode trial = row.path("trials").get(0);
    assertThat(trial.path("seed").asInt()).isEqualTo(7);
    assertThat(trial.path("agent_steps").asInt()).isEqualTo(3 * 32 * 2);
    assertThat(trial.path("first_at_target").path("agent_steps").asInt()).isEqualTo(32 * 2);
    assertThat(trial.path("plays_what_is_judged").asBoolean()).isTrue();
    assertThat(trial.path("sampled").asDouble()).isBetween(3.0, 8.0);
    // Two players of which each always takes the same action: stag and hare, two hares, two stags.
    assertThat(trial.path("greedy").asDouble()).isIn(3.0, 6.0, 8.0);
    assertThat(trial.path("wall_seconds").asDouble()).isPositive();
    assertThat(results.get(1).path("failure").asText()).contains("nowhere").contains("status 2");
  }

  @Test
  void everyRowOfTheProjectNamesWhatIsThere() throws Exception {
    List<ScoreRow> rows = ScoreRow.all();
    assertThat(rows).extracting(ScoreRow::name).doesNotHaveDuplicates();
    for (ScoreRow row : rows) {
      EnvironmentSpec.parse(row.environment()).info();
      assertThat(ScoreTable.seeds(row.seeds())).hasSizeGreaterThanOrEqualTo(5);
    }
  }

  private static ScoreOutcome outcome(ScoreRow row, double... sampled) {
    return new ScoreOutcome(
        row,
        0,
        row.target(0),
        IntStream.range(0, sampled.length)
            .mapToObj(i -> new ScoreOutcome.Trial(i, 10 + i, sampled[i], 0, 0, true, null, 0.1 * i))
            .toList());
  }

  private static ScoreRow row(Double shareOfSeeds, Double steadiness, double seconds) {
    return new ScoreRow(
        "row",
        "env",
        null,
        null,
        null,
        null,
        2.0,
        null,
        shareOfSeeds,
        steadiness,
        seconds,
        "source",
        null,
        null);
  }

  @Test
  void aRowHoldsWhereScoreTimeAndSteadinessDo() {
    assertThat(outcome(row(null, null, 11), 1, 2, 3).holds()).isTrue();
    assertThat(outcome(row(null, null, 11), 1, 1.9, 3).holds()).isFalse();
    assertThat(outcome(row(null, null, 10.9), 1, 2, 3).holds()).isFalse();
    assertThat(outcome(row(0.6, null, 11), 1, 2, 3).holds()).isTrue();
    assertThat(outcome(row(0.7, null, 11), 1, 2, 3).holds()).isFalse();
    assertThat(outcome(row(null, 0.1, 11), 1, 2, 3).holds()).isTrue();
    assertThat(outcome(row(null, 0.2, 11), 1, 2, 3).holds()).isFalse();
  }

  @Test
  void aTargetMayBeAMultipleOfRandomPlay() {
    ScoreRow row =
        new ScoreRow(
            "row", "env", null, null, "one", "other", null, 3.0, null, null, 1, "source", null,
            null);
    assertThat(row.target(13.0)).isEqualTo(39.0);
  }

  @Test
  void aCurveIsReadFromARunFolder(@TempDir Path run) throws Exception {
    Files.writeString(
        run.resolve("metrics.jsonl"),
        """
        {"iteration":0,"agent_steps":10,"a":{"team_return_mean":1.0},"b":{"team_return_mean":2.0}}
        {"iteration":1,"agent_steps":25,"a":{"team_return_mean":4.0},"b":{"team_return_mean":-1.0}}
        """);
    Files.writeString(run.resolve("timing.jsonl"), "{\"seconds\":0.5}\n{\"seconds\":0.75}\n");
    assertThat(LearningCurve.read(run, null).score()).containsExactly(3, 3);
    LearningCurve curve = LearningCurve.read(run, "a");
    assertThat(curve.firstAt(1.5)).isEqualTo(new LearningCurve.Moment(25, 0.75));
    assertThat(curve.firstAt(5)).isNull();
    assertThatThrownBy(() -> LearningCurve.read(run, "c")).hasMessageContaining("group c");
    Files.writeString(run.resolve("timing.jsonl"), "{\"seconds\":0.5}\n");
    assertThatThrownBy(() -> LearningCurve.read(run, "a")).hasMessageContaining("2 lines");
  }

  @Test
  void theScriptedListenerReachesItsGoal() {
    assertThat(Main.run("--script", "0")).isEqualTo(2);
    assertThat(Main.run("--script", "1")).isZero();
    double sum = 0;
    try (SpeakerScript script = new SpeakerScript()) {
      for (int episode = 0; episode < 200; episode++) {
        sum += script.play(episode);
      }
    }
    // One episode's deviation is 16, so this is 3.5 standard errors; random play gets -79.
    assertThat(sum / 200).isBetween(-14.89 - 4, -14.89 + 4);
  }

  @Test
  void anEvaluationHoldsTheGreedyOneInside() throws Exception {
    ObjectMapper mapper = new ObjectMapper();
    JsonNode one =
        mapper.readTree("{\"team_return_mean\": 1, \"greedy\": {\"team_return_mean\": 2}}");
    assertThat(LearningCurve.teamReturn(one, null)).isEqualTo(1);
    assertThat(LearningCurve.teamReturn(one.path("greedy"), null)).isEqualTo(2);
    String groups = "\"a\": {\"team_return_mean\": 1}, \"b\": {\"team_return_mean\": 2}";
    JsonNode two = mapper.readTree("{" + groups + ", \"greedy\": {" + groups + "}}");
    assertThat(LearningCurve.teamReturn(two, null)).isEqualTo(3);
    assertThat(LearningCurve.teamReturn(two.path("greedy"), "b")).isEqualTo(2);
  }

  @Test
  void aThinnedCurveHoldsMeans() {
    double[] rising = {1, 2, 3, 4, 5};
    LearningCurve curve = new LearningCurve(rising, rising, rising);
    assertThat(curve.thinned(2).score()).containsExactly(1.5, 4);
    assertThat(curve.thinned(9).agentSteps()).containsExactly(rising);
  }

  @Test
  void steadinessComparesTheLastFifthWithTheBest() {
    double[] score = {0, 0, 8, 10, 10, 8, 6, 6, 4, 4};
    assertThat(new LearningCurve(score, null, null).steadiness()).isEqualTo(0.4);
    assertThat(new LearningCurve(new double[] {1, 2, 3}, null, null).steadiness()).isEqualTo(1);
  }

  @Test
  void wrongUseIsNamed(@TempDir Path folder) {
    assertThat(ScoreTable.seeds("3..5")).containsExactly(3, 4, 5);
    assertThat(ScoreTable.seeds("3")).containsExactly(3);
    for (String wrong : List.of("5..3", "x", "1..2..3", "-1", "")) {
      assertThatThrownBy(() -> ScoreTable.seeds(wrong)).hasMessageContaining("'" + wrong + "'");
    }
    // The tests run in the module's folder, which holds no launcher.
    assertThat(Main.run("--scores", "spread")).isEqualTo(2);
    assertThat(Main.run("--scores", "--seeds")).isEqualTo(2);
    assertThat(Main.run("--scores", "--sneeds", "1")).isEqualTo(2);
    assertThatThrownBy(
            () -> rows(folder, "[{\"name\": \"x\", \"environment\": \"y\", \"source\": \"z\"}]"))
        .hasMessageContaining("seconds");
  }
}
