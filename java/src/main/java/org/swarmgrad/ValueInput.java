// What a value network sees; the network itself is native.
package org.swarmgrad;

/**
 * The input of a group's value network. Either is known before the action is taken, so neither
 * biases the gradient.
 */
public enum ValueInput {
  /** The observations of all agents of the group, agent after agent: one value a step. */
  JOINT,
  /** The agent's own observation: a value for each agent and step. */
  OWN;

  /**
   * Reads a choice as written on the command line.
   *
   * @param text for example "joint"
   * @return the choice
   * @throws IllegalArgumentException naming the allowed choices
   */
  public static ValueInput parse(String text) {
    return Labels.parse(ValueInput.class, "value-input", text);
  }

  @Override
  public String toString() {
    return Labels.label(this);
  }
}
