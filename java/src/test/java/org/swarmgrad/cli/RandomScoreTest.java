// The uniformly random policy in every environment whose reference published its score.
package org.swarmgrad.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvFileSource;

/**
 * The mean return of the uniformly random policy lies within 3.5 standard errors, of both together,
 * of what the reference implementations gave; ours plays 10 000 episodes or more, until its
 * standard error is not above theirs. Seeds are fixed, so the answer never changes.
 */
class RandomScoreTest {
  private static final int FEWEST_EPISODES = 10_000;
  private static final double ALLOWED_ERRORS = 3.5;

  /** A mean and its standard error. */
  private record Score(double mean, double error) {}

  @ParameterizedTest(name = "{0}, {2}")
  @CsvFileSource(resources = "/random-scores.csv", useHeadersInDisplayName = true)
  void aRandomPolicyScoresAsInTheReference(
      String environment,
      int horizon,
      String group,
      double mean,
      Double confidence,
      Integer episodes,
      Double length)
      throws IOException {
    if (confidence != null) {
      Score reference = new Score(mean, confidence / 1.96);
      assertClose(environment, untilAsCertain(environment, horizon, group, reference), reference);
      return;
    }
    // As many episodes as the reference played, again and again: their spread is its error.
    List<JsonNode> repetitions = new ArrayList<>();
    while (repetitions.size() * episodes < 2 * FEWEST_EPISODES) {
      repetitions.add(evaluate(environment, horizon, group, episodes, repetitions.size()));
    }
    assertClose(environment, repetitions, "team_return_mean", mean);
    if (length != null) {
      assertClose(environment, repetitions, "episode_length_mean", length);
    }
  }

  private static void assertClose(
      String environment, List<JsonNode> repetitions, String field, double reference) {
    ToDoubleFunction<JsonNode> value = result -> result.get(field).asDouble();
    double mean = repetitions.stream().mapToDouble(value).average().orElseThrow();
    double squares =
        repetitions.stream()
            .mapToDouble(result -> Math.pow(value.applyAsDouble(result) - mean, 2))
            .sum();
    double deviation = Math.sqrt(squares / (repetitions.size() - 1));
    assertClose(
        environment + " " + field,
        new Score(mean, deviation / Math.sqrt(repetitions.size())),
        new Score(reference, deviation));
  }

  private static void assertClose(String what, Score found, Score reference) {
    assertThat(found.error()).as(what).isPositive().isLessThanOrEqualTo(reference.error());
    double allowed = ALLOWED_ERRORS * Math.hypot(found.error(), reference.error());
    assertThat(Math.abs(found.mean() - reference.mean()))
        .as("%s: found %s, the reference %s", what, found, reference)
        .isLessThanOrEqualTo(allowed);
  }

  private static Score untilAsCertain(
      String environment, int horizon, String group, Score reference) throws IOException {
    Score first = score(evaluate(environment, horizon, group, FEWEST_EPISODES, 0));
    if (first.error() <= reference.error()) {
      return first;
    }
    double needed = 1.1 * FEWEST_EPISODES * Math.pow(first.error() / reference.error(), 2);
    return score(evaluate(environment, horizon, group, (int) Math.ceil(needed), 0));
  }

  private static Score score(JsonNode result) {
    return new Score(
        result.get("team_return_mean").asDouble(),
        result.get("team_return_standard_error").asDouble());
  }

  /** What swarmgrad eval says about a group. */
  private static JsonNode evaluate(
      String environment, int horizon, String group, int episodes, int seed) throws IOException {
    Output output =
        Output.run(
            "eval",
            "--random",
            "--env",
            environment,
            "--horizon",
            String.valueOf(horizon),
            "--episodes",
            String.valueOf(episodes),
            "--seed",
            String.valueOf(seed),
            "--json");
    assertThat(output.status()).as(output.err()).isZero();
    JsonNode result = output.json();
    assertThat(result.get("episodes").asInt()).isEqualTo(episodes);
    return result.has("team_return_mean") ? result : result.get(group);
  }
}
