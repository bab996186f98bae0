// A second thread inside one engine or simulator; the first one is undisturbed.
package org.swarmgrad;

/** Another thread is inside this engine or simulator, which serve one thread at a time. */
public final class BusyException extends SwarmgradException {
  private static final long serialVersionUID = 1L;

  /**
   * Creates the exception.
   *
   * @param message one line: what failed, what was found, what is allowed or what to do
   */
  public BusyException(String message) {
    super(message);
  }
}
