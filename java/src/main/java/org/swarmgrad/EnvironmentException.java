// An environment that broke down while it was played, with the place; not a fault of the engine.
package org.swarmgrad;

/**
 * An environment failed: its rules broke down, or, where it is written in Java, it threw or did not
 * return. The message names the environment, iteration, environments of the batch and step; what a
 * Java environment threw is the cause.
 */
public final class EnvironmentException extends SwarmgradException {
  private static final long serialVersionUID = 1L;

  /**
   * Creates the exception.
   *
   * @param message one line: which environment failed, where and how
   */
  public EnvironmentException(String message) {
    super(message);
  }

  /**
   * Creates the exception.
   *
   * @param message one line: which environment failed, where and how
   * @param cause what it threw, or where it was when it was interrupted
   */
  public EnvironmentException(String message, Throwable cause) {
    super(message);
    initCause(cause);
  }
}
