// A user's environment cannot be compiled: one line for the message, and beside it the compiler's
// own words.
package org.swarmgrad;

/** A header was not compiled: the compiler is missing, or refused it. */
public final class CompilationException extends SwarmgradException {
  private static final long serialVersionUID = 1L;

  private final String diagnostics;

  /**
   * Creates the exception.
   *
   * @param message one line: what failed, what was found, what is allowed or what to do
   * @param diagnostics what the compiler printed, several lines; empty where it did not run
   */
  public CompilationException(String message, String diagnostics) {
    super(message);
    this.diagnostics = diagnostics;
  }

  /**
   * What the compiler printed.
   *
   * @return several lines that name the lines of the header, or nothing
   */
  public String diagnostics() {
    return diagnostics;
  }
}
