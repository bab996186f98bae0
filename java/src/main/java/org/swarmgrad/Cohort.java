// Up to sixteen episodes as an environment written in Java sees them; the episodes' state is the
// environment's own.
package org.swarmgrad;

/**
 * Up to 16 episodes that are played side by side. Agents are numbered over all groups, in the
 * groups' order.
 *
 * <p>Before {@link Environment#step} every reward is 0 and no episode ends; before {@link
 * Environment#reset} every agent is made alive; before {@link Environment#observe} every action is
 * available. What is written for episodes that have ended has no effect.
 */
public interface Cohort {
  /** The most episodes that a cohort has. */
  int MAXIMUM = 16;

  /**
   * Number of episodes.
   *
   * @return 1 to {@link #MAXIMUM}
   */
  int episodes();

  /**
   * Whether an episode goes on.
   *
   * @param episode 0 to {@link #episodes()} - 1
   * @return false once it has ended
   */
  boolean playing(int episode);

  /**
   * The step that is played.
   *
   * @return 0 in reset and in the first step
   */
  int step();

  /**
   * Which of the batch's environments an episode is.
   *
   * @param episode 0 to {@link #episodes()} - 1
   * @return its index in the batch, or of an evaluation's episode
   */
  int environment(int episode);

  /**
   * The next 32 random bits of an episode. What an episode draws depends on seed, iteration,
   * environment and step alone, in the order of its own draws.
   *
   * @param episode 0 to {@link #episodes()} - 1
   * @return any int
   */
  int bits(int episode);

  /**
   * The next random number of an episode.
   *
   * @param episode 0 to {@link #episodes()} - 1
   * @return in [0, 1), a multiple of 2^-24
   */
  default float uniform(int episode) {
    return (bits(episode) >>> 8) * 0x1p-24f;
  }

  /**
   * The next random number of an episode.
   *
   * @param episode 0 to {@link #episodes()} - 1
   * @param low where the numbers begin
   * @param high where they end
   * @return in [low, high], up to rounding
   */
  default float uniform(int episode, float low, float high) {
    return Math.fma(uniform(episode), high - low, low);
  }

  /**
   * The next random whole number of an episode.
   *
   * @param episode 0 to {@link #episodes()} - 1
   * @param count at least 1
   * @return 0 to count - 1
   */
  default int below(int episode, int count) {
    Checks.range("count", count, 1, Integer.MAX_VALUE);
    return (int) (((bits(episode) & 0xFFFFFFFFL) * count) >>> 32);
  }

  /**
   * The action that an agent has chosen.
   *
   * @param agent that acts
   * @param episode 0 to {@link #episodes()} - 1
   * @return 0 to its group's action count - 1; 0 for a dead agent
   */
  int action(int agent, int episode);

  /**
   * Sets what an agent earns by this step; a dead agent's reward counts for its team.
   *
   * @param agent that earns
   * @param episode 0 to {@link #episodes()} - 1
   * @param reward finite
   */
  void reward(int agent, int episode, float reward);

  /**
   * Ends an episode with this step.
   *
   * @param episode 0 to {@link #episodes()} - 1
   */
  void end(int episode);

  /**
   * Whether an agent acts.
   *
   * @param agent to ask about
   * @param episode 0 to {@link #episodes()} - 1
   * @return true from reset on, until it is said otherwise
   */
  boolean alive(int agent, int episode);

  /**
   * Says whether an agent acts from now on.
   *
   * @param agent that dies, or comes back
   * @param episode 0 to {@link #episodes()} - 1
   * @param alive false: it acts no more, and what it observes is not looked at
   */
  void alive(int agent, int episode, boolean alive);

  /**
   * Sets a feature of what an agent observes.
   *
   * @param agent that observes
   * @param feature 0 to its group's observation size - 1
   * @param episode 0 to {@link #episodes()} - 1
   * @param value finite
   */
  void observe(int agent, int feature, int episode, float value);

  /**
   * All features of an agent's observation, for code that fills many at once.
   *
   * @param agent that observes
   * @return [feature][{@link #MAXIMUM}], flat: feature f of episode e is element 16 f + e; to be
   *     written, always the same array
   */
  float[] observation(int agent);

  /**
   * Takes an action away from an agent until the next step; at least one must be left.
   *
   * @param agent of a masked group
   * @param action 0 to its group's action count - 1
   * @param episode 0 to {@link #episodes()} - 1
   */
  void forbid(int agent, int action, int episode);
}
