// NaN or infinity where a number is needed.
package org.swarmgrad;

/** A value became NaN or infinite; the message names iteration, environment, agent and step. */
public final class NumericException extends SwarmgradException {
  private static final long serialVersionUID = 1L;

  /**
   * Creates the exception.
   *
   * @param message one line: what failed, what was found, what is allowed or what to do
   */
  public NumericException(String message) {
    super(message);
  }
}
