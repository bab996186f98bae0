// Whose policy an agent plays.
package org.swarmgrad;

/** Whose policy an agent plays. */
public enum Share {
  /** Each group of the environment has a policy and a team return of its own. */
  GROUPS,
  /**
   * All agents are one group "all" with one policy and one team return, the sum over all agents;
   * the groups must have equal observation sizes, action counts and masks.
   */
  ALL;

  /**
   * Reads a choice as written on the command line.
   *
   * @param text for example "all"
   * @return the choice
   * @throws IllegalArgumentException naming the allowed choices
   */
  public static Share parse(String text) {
    return Labels.parse(Share.class, "share", text);
  }

  @Override
  public String toString() {
    return Labels.label(this);
  }
}
