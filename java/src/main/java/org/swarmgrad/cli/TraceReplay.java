// Replays recorded trajectories step by step and compares; how the result is printed is the
// command's.
package org.swarmgrad.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.swarmgrad.EnvironmentSpec;
import org.swarmgrad.InstructionSet;
import org.swarmgrad.Simulator;
import org.swarmgrad.SwarmgradException;

/**
 * Replays one file of recorded trajectories: every step starts from the recorded state, takes the
 * recorded actions, and what the environment makes of them is compared with the record. It judges
 * single steps, so errors do not add up.
 */
final class TraceReplay implements AutoCloseable {
  /** State and observation: |found - recorded| at most this x max(1, |recorded|). */
  static final double STATE_TOLERANCE = 1e-5;

  /** Reward: |found - recorded| at most this. */
  static final double REWARD_TOLERANCE = 1e-4;

  private static final Set<String> NOT_STATE =
      Set.of("action", "reward", "terminated", "truncated", "done", "obs");

  /**
   * What a replay found.
   *
   * @param file replayed
   * @param environment its id
   * @param episodes replayed
   * @param excepted episodes left out because they contain null
   * @param steps replayed
   * @param mismatches values outside the tolerance
   * @param undecided rewards that differ only by collisions within rounding of the contact distance
   * @param stateDifference largest
   * @param observationDifference largest
   * @param rewardDifference largest, undecided ones left out
   * @param first the first mismatch in words, or null
   */
  record Result(
      String file,
      String environment,
      int episodes,
      int excepted,
      long steps,
      long mismatches,
      long undecided,
      double stateDifference,
      double observationDifference,
      double rewardDifference,
      String first) {}

  private final Path path;
  private final JsonNode root;
  private final String environment;
  private final TraceProfile profile;
  private final Simulator simulator;
  private final int horizon;
  private final Map<String, double[]> recorded = new TreeMap<>();

  private int replayed;
  private int excepted;
  private long steps;
  private long mismatches;
  private long undecided;
  private double stateDifference;
  private double observationDifference;
  private double rewardDifference;
  private String first;

  private TraceReplay(Path path) throws IOException {
    this.path = path;
    root = Recordings.read(path);
    environment = Recordings.text(root, "env", path.toString());
    try {
      profile = TraceProfile.of(environment);
      EnvironmentSpec spec = EnvironmentSpec.of(environment);
      int steps = 0;
      for (Map.Entry<String, JsonNode> entry :
          Recordings.member(root, "params", path.toString()).properties()) {
        String name = profile.parameters().get(entry.getKey());
        if (profile.falseParameters().contains(entry.getKey())) {
          if (!entry.getValue().isBoolean() || entry.getValue().booleanValue()) {
            throw new IllegalArgumentException(
                "parameter " + entry.getKey() + " is " + entry.getValue() + "; allowed: false");
          }
        } else if (name == null || !entry.getValue().isNumber()) {
          throw new IllegalArgumentException(
              "parameter '"
                  + entry.getKey()
                  + "' is "
                  + entry.getValue()
                  + "; allowed: numbers of "
                  + profile.parameters().keySet().stream().sorted().toList());
        } else if (name.equals(TraceProfile.HORIZON)) {
          steps = entry.getValue().intValue();
        } else {
          spec = spec.with(name, entry.getValue().doubleValue());
        }
      }
      simulator = Simulator.open(spec, 0, InstructionSet.AUTO);
      horizon = steps == 0 ? simulator.horizon() : steps;
    } catch (IllegalArgumentException failure) {
      throw new IOException(path + ": " + failure.getMessage(), failure);
    }
  }

  /**
   * Replays a file.
   *
   * @param path gzip or plain JSON
   * @return what was found
   * @throws IOException if the file cannot be read, is no recording, or is of an unknown
   *     environment
   */
  static Result replay(Path path) throws IOException {
    try (TraceReplay replay = new TraceReplay(path)) {
      return replay.run();
    }
  }

  @Override
  public void close() {
    simulator.close();
  }

  private Result run() throws IOException {
    int number = 0;
    for (JsonNode episode : Recordings.array(root, "episodes", path.toString())) {
      String where = "episode " + number++ + " (" + episode.path("label").asText() + ")";
      if (profile.nullEpisodes() && Recordings.containsNull(episode)) {
        excepted++;
      } else {
        replayEpisode(episode, where);
        replayed++;
      }
    }
    if (steps == 0) {
      throw Recordings.malformed(path.toString(), "no step to replay; needed: at least one");
    }
    return new Result(
        path.toString(),
        environment,
        replayed,
        excepted,
        steps,
        mismatches,
        undecided,
        stateDifference,
        observationDifference,
        rewardDifference,
        first);
  }

  private void replayEpisode(JsonNode episode, String where) throws IOException {
    simulator.reset(0, 0);
    recorded.clear();
    JsonNode initial = Recordings.member(episode, "initial", path + ": " + where);
    readState(initial, where);
    resynchronise(where);
    compareObservations(initial, where + ", start");
    int step = 0;
    for (JsonNode record : Recordings.array(episode, "steps", path + ": " + where)) {
      replayStep(record, step, where + ", step " + step);
      step++;
      steps++;
    }
  }

  private void replayStep(JsonNode record, int step, String where) throws IOException {
    String place = path + ": " + where;
    int agents = simulator.agentCount();
    double[] actions =
        Recordings.numbers(Recordings.member(record, "action", place), agents, place + " action");
    int[] action = new int[agents];
    for (int agent = 0; agent < agents; agent++) {
      action[agent] = (int) actions[agent];
      if (action[agent] != actions[agent]) {
        throw Recordings.malformed(
            place,
            "action of agent " + agent + " is " + actions[agent] + "; allowed: whole numbers");
      }
    }
    resynchronise(where);
    Simulator.Step found;
    try {
      found = simulator.step(action);
    } catch (IllegalArgumentException failure) {
      throw new IOException(place + ": " + failure.getMessage(), failure);
    }
    readState(record, where);
    compareState(where);
    compareObservations(record, where);
    compareRewards(record, found, where);
    compareEnd(record, found, step, where);
  }

  /**
   * Takes over the recorded fields; those that a record leaves out (a landmark that never moves)
   * keep their values.
   */
  private void readState(JsonNode record, String where) throws IOException {
    String place = path + ": " + where;
    for (Map.Entry<String, JsonNode> entry : record.properties()) {
      String name = entry.getKey();
      if (profile.zeroFields().contains(name)) {
        requireZero(entry.getValue(), place + " " + name);
      } else if (!NOT_STATE.contains(name)) {
        Simulator.Field field;
        try {
          field = simulator.field(name);
        } catch (IllegalArgumentException failure) {
          throw new IOException(place + ": " + failure.getMessage(), failure);
        }
        recorded.put(name, Recordings.numbers(entry.getValue(), field.size(), place + " " + name));
      }
    }
  }

  private static void requireZero(JsonNode value, String place) throws IOException {
    for (JsonNode element : value) {
      requireZero(element, place);
    }
    if (!value.isArray() && value.doubleValue() != 0) {
      throw Recordings.malformed(
          place, "holds " + value + "; allowed: 0, for the environment has no such field");
    }
  }

  private void resynchronise(String where) throws IOException {
    for (Map.Entry<String, double[]> entry : recorded.entrySet()) {
      try {
        simulator.set(simulator.field(entry.getKey()), entry.getValue());
      } catch (IllegalArgumentException | SwarmgradException failure) {
        throw new IOException(path + ": " + where + ": " + failure.getMessage(), failure);
      }
    }
  }

  private void compareState(String where) {
    recorded.forEach(
        (name, expected) -> {
          Simulator.Field field = simulator.field(name);
          double[] found = simulator.get(field);
          for (int index = 0; index < expected.length; index++) {
            double difference = Math.abs(found[index] - expected[index]);
            stateDifference = Math.max(stateDifference, difference);
            if (!(difference <= STATE_TOLERANCE * Math.max(1, Math.abs(expected[index])))) {
              String element =
                  name + "[" + index / field.columns() + "][" + index % field.columns() + "]";
              mismatch(where, element, expected[index], found[index]);
            }
          }
        });
  }

  private void compareObservations(JsonNode record, String where) throws IOException {
    JsonNode rows = Recordings.array(record, "obs", path + ": " + where);
    if (rows.size() != simulator.agentCount()) {
      throw Recordings.malformed(
          path + ": " + where, rows.size() + " observations; needed: " + simulator.agentCount());
    }
    Iterator<JsonNode> row = rows.iterator();
    for (int agent = 0; agent < simulator.agentCount(); agent++) {
      float[] found = simulator.observe(agent).features();
      double[] expected =
          Recordings.numbers(
              row.next(), found.length, path + ": " + where + " observation of agent " + agent);
      for (int feature = 0; feature < found.length; feature++) {
        double difference = Math.abs(found[feature] - (float) expected[feature]);
        observationDifference = Math.max(observationDifference, difference);
        if (!(difference <= STATE_TOLERANCE * Math.max(1, Math.abs(expected[feature])))) {
          mismatch(
              where + ", agent " + agent,
              "observation[" + feature + "]",
              expected[feature],
              found[feature]);
        }
      }
    }
  }

  private void compareRewards(JsonNode record, Simulator.Step found, String where)
      throws IOException {
    String place = path + ": " + where;
    double[] expected =
        Recordings.numbers(
            Recordings.member(record, "reward", place), simulator.agentCount(), place + " reward");
    for (int agent = 0; agent < expected.length; agent++) {
      double difference = Math.abs(found.reward()[agent] - expected[agent]);
      if (!(difference <= REWARD_TOLERANCE) && isUndecided(agent, difference)) {
        undecided++;
      } else {
        rewardDifference = Math.max(rewardDifference, difference);
        if (!(difference <= REWARD_TOLERANCE)) {
          mismatch(where + ", agent " + agent, "reward", expected[agent], found.reward()[agent]);
        }
      }
    }
  }

  /** Whether collisions within rounding of the contact distance explain the whole difference. */
  private boolean isUndecided(int agent, double difference) {
    TraceProfile.Contact contact = profile.contact();
    if (contact == null) {
      return false;
    }
    double cost = contact.cost(root.get("params"));
    int possible = contact.undecided(recorded.get(contact.field()), agent);
    for (int collisions = 1; collisions <= possible; collisions++) {
      if (Math.abs(difference - collisions * cost) <= REWARD_TOLERANCE) {
        return true;
      }
    }
    return false;
  }

  private void compareEnd(JsonNode record, Simulator.Step found, int step, String where)
      throws IOException {
    boolean terminated = anyTrue(Recordings.member(record, "terminated", path + ": " + where));
    boolean truncated = anyTrue(Recordings.member(record, "truncated", path + ": " + where));
    if (found.done() != terminated) {
      mismatch(where, "terminated", terminated ? 1 : 0, found.done() ? 1 : 0);
    }
    boolean atHorizon = step + 1 == horizon;
    if (truncated != atHorizon) {
      mismatch(where, "truncated", truncated ? 1 : 0, atHorizon ? 1 : 0);
    }
  }

  private static boolean anyTrue(JsonNode value) {
    for (JsonNode element : value) {
      if (element.asBoolean()) {
        return true;
      }
    }
    return value.asBoolean();
  }

  private void mismatch(String where, String what, double expected, double found) {
    mismatches++;
    if (first == null) {
      first = where + ": " + what + ": recorded " + expected + ", found " + found;
    }
  }
}
