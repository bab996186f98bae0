// A cancelled call; parameters are those of the last complete iteration.
package org.swarmgrad;

/**
 * The call was cancelled by {@link Engine#cancel()}; parameters are those of the last complete
 * iteration.
 */
public final class CancelledException extends SwarmgradException {
  private static final long serialVersionUID = 1L;

  /**
   * Creates the exception.
   *
   * @param message one line: what failed, what was found, what is allowed or what to do
   */
  public CancelledException(String message) {
    super(message);
  }
}
