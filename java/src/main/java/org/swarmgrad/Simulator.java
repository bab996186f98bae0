// One environment, stepped by hand: for tests, traces and tools; training never uses it.
package org.swarmgrad;

import java.util.List;
import java.util.stream.Collectors;
import org.swarmgrad.internal.NativeSimulator;

/**
 * One native environment. It serves one thread at a time; a second one gets a {@link
 * BusyException}.
 */
public final class Simulator implements AutoCloseable {
  private final NativeSimulator simulator;

  /**
   * A named part of the state, or of a step's chance.
   *
   * @param index for the simulator
   * @param name for example "agent_position"
   * @param integer whether it holds whole numbers
   * @param chance whether it is drawn at the beginning of a step: what is written to it takes the
   *     place of the next step's draw, and what is not stays drawn
   * @param rows first dimension
   * @param columns second dimension
   */
  public record Field(
      int index, String name, boolean integer, boolean chance, int rows, int columns) {
    /**
     * Number of values.
     *
     * @return rows x columns
     */
    public int size() {
      return Math.multiplyExact(rows, columns);
    }
  }

  /**
   * What an agent sees.
   *
   * @param features [feature]
   * @param mask [action], 1 where available; all 1 where the environment has no mask
   */
  public record Observation(float[] features, byte[] mask) {}

  /**
   * What a step did.
   *
   * @param reward [agent]
   * @param alive [agent] after the step
   * @param done whether the episode ended
   */
  public record Step(float[] reward, byte[] alive, boolean done) {}

  private Simulator(NativeSimulator simulator) {
    this.simulator = simulator;
  }

  /**
   * Opens an environment; {@link #reset} starts an episode.
   *
   * @param environment to open
   * @param seed read as unsigned
   * @param instructionSet AUTO unless a certain one is tested
   * @return the simulator, to be closed
   * @throws LibraryException where the library or the instruction set is missing
   */
  public static Simulator open(
      EnvironmentSpec environment, long seed, InstructionSet instructionSet) {
    return new Simulator(
        new NativeSimulator(
            Checks.present("environment", environment),
            seed,
            Checks.present("isa", instructionSet)));
  }

  /**
   * The agent groups.
   *
   * @return [group]
   */
  public List<Group> groups() {
    return simulator.groups();
  }

  /**
   * Agents of all groups.
   *
   * @return their number
   */
  public int agentCount() {
    return simulator.agentCount();
  }

  /**
   * Steps of an episode that nothing ends early.
   *
   * @return their number
   */
  public int horizon() {
    return simulator.horizon();
  }

  /**
   * Every part of the state and of a step's chance.
   *
   * @return the fields in the library's order
   */
  public List<Field> fields() {
    return simulator.fields();
  }

  /**
   * A part of the state by name.
   *
   * @param name of the field
   * @return the field
   * @throws IllegalArgumentException naming the fields that exist
   */
  public Field field(String name) {
    for (Field field : fields()) {
      if (field.name().equals(name)) {
        return field;
      }
    }
    String names = fields().stream().map(Field::name).collect(Collectors.joining(", "));
    throw new IllegalArgumentException("field is '" + name + "'; allowed: " + names);
  }

  /**
   * Starts the episode that an environment of a batch plays in an iteration of training with this
   * seed.
   *
   * @param environment index in the batch
   * @param iteration of training
   */
  public void reset(int environment, int iteration) {
    simulator.reset(environment, iteration);
  }

  /**
   * Reads a part of the state.
   *
   * @param field to read
   * @return [row][column]
   */
  public double[] get(Field field) {
    return simulator.get(field);
  }

  /**
   * Writes a part of the state.
   *
   * @param field to write
   * @param values [row][column]
   */
  public void set(Field field, double... values) {
    Checks.length(
        field.name(),
        values.length,
        field.size(),
        "[" + field.rows() + "][" + field.columns() + "]");
    simulator.set(field, values);
  }

  /**
   * What an agent sees now.
   *
   * @param agent over all groups
   * @return its observation and action mask
   */
  public Observation observe(int agent) {
    Checks.range("agent", agent, 0, agentCount() - 1);
    return simulator.observe(agent, groupOf(agent));
  }

  /**
   * Advances the episode by one step.
   *
   * @param actions [agent]
   * @return rewards, who lives, and whether the episode ended
   */
  public Step step(int... actions) {
    Checks.length("actions", actions.length, agentCount(), "[agent]");
    return simulator.step(actions);
  }

  private Group groupOf(int agent) {
    for (Group group : groups()) {
      if (agent < group.firstAgent() + group.agentCount()) {
        return group;
      }
    }
    throw new IllegalArgumentException(
        "agent is " + agent + "; allowed: 0 to " + (agentCount() - 1));
  }

  /** Frees the environment; closing twice does nothing. */
  @Override
  public void close() {
    simulator.close();
  }
}
