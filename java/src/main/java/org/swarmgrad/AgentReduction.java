// Whether agents are summed or averaged in the gradient.
package org.swarmgrad;

/** How the agents of a group enter the gradient. */
public enum AgentReduction {
  /** Sum over agents: the gradient of the team return. */
  SUM,
  /** The sum divided by the configured number of agents, living or not. */
  MEAN;

  /**
   * Reads a choice as written on the command line.
   *
   * @param text for example "sum"
   * @return the choice
   * @throws IllegalArgumentException naming the allowed choices
   */
  public static AgentReduction parse(String text) {
    return Labels.parse(AgentReduction.class, "agent-reduction", text);
  }

  @Override
  public String toString() {
    return Labels.label(this);
  }
}
