// An environment written in Java: its shapes and the rules of a game; policy, sampling, weights and
// gradient stay in the native engine.
package org.swarmgrad;

import java.util.List;

/**
 * A game that plays up to 16 episodes side by side. {@link JavaEnvironment} gives it to an engine,
 * which makes one instance for each of its threads: an instance is used by one thread at a time and
 * keeps the state of its episodes in arrays of its own.
 *
 * <p>Episodes begin together in {@link #reset}; then {@link #observe} and {@link #step} take turns
 * until every episode has ended or the horizon is reached. What is random comes from {@link
 * Cohort#uniform(int)} and its siblings, so that a seed gives the same episodes on any machine.
 */
public interface Environment extends AutoCloseable {
  /**
   * Agents that share a policy and a team return.
   *
   * @param name for example "agent"
   * @param count number of agents
   * @param observationSize features of one agent's observation
   * @param actionCount actions of one agent
   * @param masked whether {@link Cohort#forbid} may take actions away
   */
  record Agents(String name, int count, int observationSize, int actionCount, boolean masked) {
    /** Checks the name; the engine checks the numbers. */
    public Agents {
      Checks.present("name of a group", name);
    }

    /**
     * Agents that may always take every action.
     *
     * @param name for example "agent"
     * @param count number of agents
     * @param observationSize features of one agent's observation
     * @param actionCount actions of one agent
     */
    public Agents(String name, int count, int observationSize, int actionCount) {
      this(name, count, observationSize, actionCount, false);
    }
  }

  /**
   * The agents, always the same.
   *
   * @return groups of consecutive agents: the first group's are numbered from 0
   */
  List<Agents> groups();

  /**
   * The steps after which an episode ends at the latest, always the same.
   *
   * @return at least 1
   */
  int horizon();

  /**
   * Begins new episodes, forgetting the ones before.
   *
   * @param cohort of the new episodes
   * @throws Exception to stop the run
   */
  void reset(Cohort cohort) throws Exception;

  /**
   * Writes what every agent of every playing episode observes, and forbids actions; after {@link
   * #reset} and after every {@link #step}.
   *
   * @param cohort to write to
   * @throws Exception to stop the run
   */
  void observe(Cohort cohort) throws Exception;

  /**
   * Plays a step of every playing episode: reads actions, writes rewards, says who died and which
   * episodes end.
   *
   * @param cohort to read from and write to
   * @throws Exception to stop the run
   */
  void step(Cohort cohort) throws Exception;

  /** Frees what the instance holds, when its engine is closed. */
  @Override
  default void close() {}
}
