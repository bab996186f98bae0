// The root of the failures that the engine and the files around it report; bad arguments are
// IllegalArgumentException.
package org.swarmgrad;

/** A failure reported by the engine or by a file it reads or writes. */
public class SwarmgradException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /**
   * Creates the exception.
   *
   * @param message one line: what failed, what was found, what is allowed or what to do
   */
  public SwarmgradException(String message) {
    super(message);
  }
}
