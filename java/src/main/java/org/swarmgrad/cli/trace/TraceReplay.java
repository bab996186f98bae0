// Replays recorded trajectories and compares; how the result is printed is the command's.
package org.swarmgrad.cli.trace;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import org.swarmgrad.EnvironmentSpec;
import org.swarmgrad.InstructionSet;
import org.swarmgrad.Simulator;
import org.swarmgrad.SwarmgradException;

/**
 * Replays one file of recorded trajectories with the recorded actions and random draws, and
 * compares what the environment makes of them with the record. Float worlds start every step from
 * the recorded state, so that rounding does not add up; grid worlds play whole episodes.
 */
public final class TraceReplay implements AutoCloseable {
  /**
   * What a replay found.
   *
   * @param file replayed
   * @param environment with its parameters
   * @param exact whether whole episodes were replayed and had to be equal
   * @param episodes replayed
   * @param excepted episodes left out because they contain null
   * @param steps replayed
   * @param mismatches values outside the tolerance
   * @param undecided rewards that differ only by collisions within rounding of the contact distance
   * @param ties steps that differ where the reference depends on the order of its own sets; the
   *     next step starts from the recorded state
   * @param stateDifference largest
   * @param observationDifference largest
   * @param rewardDifference largest, undecided ones left out
   * @param first the first mismatch, or null
   */
  public record Result(
      String file,
      String environment,
      boolean exact,
      int episodes,
      int excepted,
      long steps,
      long mismatches,
      long undecided,
      long ties,
      double stateDifference,
      double observationDifference,
      double rewardDifference,
      Disagreement first) {}

  private final Path path;
  private final JsonNode root;
  private final World world;
  private final EnvironmentSpec spec;
  private final Simulator simulator;
  private final int horizon;
  private final Tally tally = new Tally();

  /** The same environment with a parameter changed, opened when first asked for. */
  private final Map<EnvironmentSpec, Simulator> companions = new HashMap<>();

  /** State as it was recorded last. */
  private final Map<String, double[]> recorded = new TreeMap<>();

  /** State that the step started from. */
  private Map<String, double[]> before = Map.of();

  /** What the step took. */
  private int[] action = {};

  private long steps;
  private long ties;

  private TraceReplay(Path path) throws IOException {
    this.path = path;
    root = Recordings.read(path);
    String environment = Recordings.text(root, "env", path.toString());
    JsonNode parameters = Recordings.member(root, "params", path.toString());
    try {
      world = Worlds.of(environment);
      Parameters given = new Parameters(parameters, EnvironmentSpec.of(world.environment()));
      world.parameters().accept(given);
      spec = given.complete();
      simulator = Simulator.open(spec, 0, InstructionSet.AUTO);
      horizon = given.horizon() == 0 ? simulator.horizon() : given.horizon();
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
  public static Result replay(Path path) throws IOException {
    try (TraceReplay replay = new TraceReplay(path)) {
      return replay.run();
    }
  }

  @Override
  public void close() {
    simulator.close();
    companions.values().forEach(Simulator::close);
  }

  private Result run() throws IOException {
    int number = 0;
    int excepted = 0;
    for (JsonNode episode : Recordings.array(root, "episodes", path.toString())) {
      if (world.withoutNull() && Recordings.containsNull(episode)) {
        excepted++;
      } else {
        replayEpisode(episode, number);
      }
      number++;
    }
    if (steps == 0) {
      throw Recordings.malformed(path.toString(), "no step to replay; needed: at least one");
    }
    return tally.result(
        path.toString(), spec.toString(), world.exact(), number - excepted, excepted, steps, ties);
  }

  private void replayEpisode(JsonNode episode, int number) throws IOException {
    String label = episode.path("label").asText();
    String place = path + ": episode " + number + " (" + label + ")";
    JsonNode initial = Recordings.member(episode, "initial", place);
    JsonNode records = Recordings.array(episode, "steps", place);
    Moment moment = new Moment(this, tally, number, label, -1);
    try {
      begin(initial, moment);
      for (int step = 0; step < records.size(); step++) {
        moment = new Moment(this, new Tally(), number, label, step);
        replayStep(records.get(step), moment);
        steps++;
      }
    } catch (IllegalArgumentException | SwarmgradException failure) {
      throw Recordings.malformed(moment.place(), failure.getMessage());
    }
  }

  private void begin(JsonNode initial, Moment moment) throws IOException {
    simulator.reset(0, 0);
    recorded.clear();
    readState(initial, moment);
    write(simulator, recorded);
    check(initial, moment);
  }

  private void replayStep(JsonNode record, Moment moment) throws IOException {
    for (String name : world.required()) {
      Recordings.member(record, name, moment.place());
    }
    if (!world.exact()) {
      write(simulator, recorded);
    }
    action =
        Recordings.integers(
            record.get("action"), simulator.agentCount(), moment.place() + " action");
    before = values(simulator, false);
    giveChance(record, moment);
    moment.took(simulator.step(action));
    for (String field : readState(record, moment)) {
      moment.state(field, simulator.field(field), recorded.get(field));
    }
    check(record, moment);
    if (!moment.tally().agrees() && record.path(World.TIE).asBoolean()) {
      ties++;
      write(simulator, recorded);
    } else {
      tally.add(moment.tally());
    }
  }

  /** Takes over the recorded state and returns the names of its fields. */
  private Iterable<String> readState(JsonNode record, Moment moment) throws IOException {
    Map<String, double[]> read = new TreeMap<>();
    for (Map.Entry<String, JsonNode> entry : record.properties()) {
      if (world.column(entry.getKey()) instanceof Column.State state) {
        read.put(
            state.field(),
            read(state.field(), state.reading(), entry.getKey(), entry.getValue(), moment));
      }
    }
    recorded.putAll(read);
    return read.keySet();
  }

  /** Gives the recorded draws; the environment draws those that the recording leaves out. */
  private void giveChance(JsonNode record, Moment moment) throws IOException {
    Map<String, double[]> chance = new HashMap<>();
    for (Map.Entry<String, JsonNode> entry : record.properties()) {
      if (world.column(entry.getKey()) instanceof Column.Chance draws) {
        chance.put(
            draws.field(),
            read(draws.field(), draws.reading(), entry.getKey(), entry.getValue(), moment));
      }
    }
    write(simulator, chance);
  }

  private double[] read(
      String name, Column.Reading reading, String recordedName, JsonNode value, Moment moment)
      throws IOException {
    Simulator.Field field = simulator.field(name);
    return reading.read(value, field, recorded.get(name), moment.place() + " " + recordedName);
  }

  private void check(JsonNode record, Moment moment) throws IOException {
    for (Map.Entry<String, JsonNode> entry : record.properties()) {
      switch (world.column(entry.getKey())) {
        case Column.Check check -> check.compare(moment, entry.getKey(), entry.getValue());
        case Column.Chance draws ->
            draws.possible().compare(moment, entry.getKey(), entry.getValue());
        case Column.State state -> {}
      }
    }
  }

  private static void write(Simulator target, Map<String, double[]> values) {
    values.forEach((name, value) -> target.set(target.field(name), value));
  }

  /** All state, or all chance, of a simulator. */
  private static Map<String, double[]> values(Simulator simulator, boolean chance) {
    Map<String, double[]> values = new HashMap<>();
    for (Simulator.Field field : simulator.fields()) {
      if (field.chance() == chance) {
        values.put(field.name(), simulator.get(field));
      }
    }
    return values;
  }

  Path path() {
    return path;
  }

  World world() {
    return world;
  }

  Simulator simulator() {
    return simulator;
  }

  int horizon() {
    return horizon;
  }

  Simulator inSameState(String parameter, double value) {
    Simulator companion = companion(spec.with(parameter, value));
    write(companion, values(simulator, false));
    return companion;
  }

  Simulator.Step sameStep(String parameter, double value) {
    Simulator companion = companion(spec.with(parameter, value));
    write(companion, before);
    write(companion, values(simulator, true));
    return companion.step(action);
  }

  private Simulator companion(EnvironmentSpec changed) {
    return companions.computeIfAbsent(
        changed, other -> Simulator.open(other, 0, InstructionSet.AUTO));
  }

  /** Whether contacts within rounding of their distance explain a difference of rewards. */
  boolean isRounding(int agent, double difference) {
    Contacts contacts = world.rounding();
    return contacts != null
        && contacts.explain(
            spec, recorded.get(contacts.field()), agent, difference, world.rewardTolerance());
  }
}
