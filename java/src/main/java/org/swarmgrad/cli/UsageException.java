// A command line that says something it may not; exit status 2.
package org.swarmgrad.cli;

/** Wrong use of the command line. */
final class UsageException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  UsageException(String message) {
    super(message);
  }
}
