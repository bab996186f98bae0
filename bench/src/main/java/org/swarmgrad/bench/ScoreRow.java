// One row of the table of scores as scores.json has it: what is trained and what it must reach; how
// it is measured is the table's.
package org.swarmgrad.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A row. Scores are mean undiscounted returns of one group or, with no group named, of all agents
 * together.
 *
 * @param name by which the command line chooses it
 * @param environment trained by `swarmgrad train --env`
 * @param arguments that follow on the command line; none: the environment's defaults
 * @param seeds for example "1..5"
 * @param group whose return counts; null: all agents'
 * @param randomGroup plays at random when the trained policy is judged; null: none
 * @param target score to reach; null where `timesRandom` says it
 * @param timesRandom the target as a multiple of what random play gets
 * @param shareOfSeeds that must reach the target; null: the median must
 * @param steadiness least mean return of the last fifth of iterations, as a part of the best
 *     fifth's; null: not asked for
 * @param seconds of wall clock that the median training may take
 * @param source of the target
 * @param published where others stand; null: unknown
 * @param publishedAgentSteps after so many steps of single agents; null: unknown
 */
record ScoreRow(
    String name,
    String environment,
    List<String> arguments,
    String seeds,
    String group,
    String randomGroup,
    Double target,
    Double timesRandom,
    Double shareOfSeeds,
    Double steadiness,
    double seconds,
    String source,
    String published,
    Double publishedAgentSteps) {
  private static final String USUAL_SEEDS = "1..5";

  ScoreRow {
    arguments = arguments == null ? List.of() : List.copyOf(arguments);
    seeds = seeds == null ? USUAL_SEEDS : seeds;
    if (name == null || environment == null || source == null || !(seconds > 0)) {
      throw new IllegalArgumentException(
          "row " + name + " lacks name, environment, source or seconds above 0");
    }
    if ((target == null) == (timesRandom == null)) {
      throw new IllegalArgumentException(
          "row " + name + " has both or none of target and times_random; allowed: one of them");
    }
  }

  /** The rows that the project answers for. */
  static List<ScoreRow> all() throws IOException {
    try (InputStream input = ScoreRow.class.getResourceAsStream("scores.json")) {
      return read("scores.json", input.readAllBytes());
    }
  }

  /** The rows of a file of one's own. */
  static List<ScoreRow> read(Path file) throws IOException {
    return read(file.toString(), Files.readAllBytes(file));
  }

  private static List<ScoreRow> read(String name, byte[] json) throws IOException {
    try {
      return new ObjectMapper()
          .setPropertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
          .readValue(json, new TypeReference<List<ScoreRow>>() {});
    } catch (JsonProcessingException failure) {
      throw new IOException(name + " holds no rows: " + failure.getOriginalMessage(), failure);
    }
  }

  /** The command that trains it, seed and run folder left out. */
  List<String> training() {
    List<String> command = new ArrayList<>(List.of("train", "--env", environment));
    command.addAll(arguments);
    return command;
  }

  /** The score that must be reached. */
  double target(double random) {
    return target == null ? timesRandom * random : target;
  }
}
