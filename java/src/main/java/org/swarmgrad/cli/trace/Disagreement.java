// One value of a recording that the environment does not give.
package org.swarmgrad.cli.trace;

/**
 * A recorded value and what was found in its place.
 *
 * @param episode index in the file
 * @param label of the episode
 * @param step of the episode; -1: its start
 * @param agent over all groups; -1: not an agent's
 * @param field for example "agent_pos[1][0]" or "reward"
 * @param recorded by the reference
 * @param found here
 */
public record Disagreement(
    int episode, String label, int step, int agent, String field, double recorded, double found) {
  @Override
  public String toString() {
    return place(episode, label, step)
        + (agent < 0 ? "" : ", agent " + agent)
        + ": "
        + field
        + ": recorded "
        + recorded
        + ", found "
        + found;
  }

  static String place(int episode, String label, int step) {
    return "episode " + episode + " (" + label + ")" + (step < 0 ? ", start" : ", step " + step);
  }
}
