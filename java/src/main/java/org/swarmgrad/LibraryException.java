// The engine library is missing, unfit or unable to run on this machine; not a failure of one call.
package org.swarmgrad;

/** The engine library cannot be loaded, or this machine cannot run what was asked for. */
public final class LibraryException extends SwarmgradException {
  private static final long serialVersionUID = 1L;

  /**
   * Creates the exception.
   *
   * @param message one line: what failed, what was found, what is allowed or what to do
   */
  public LibraryException(String message) {
    super(message);
  }
}
