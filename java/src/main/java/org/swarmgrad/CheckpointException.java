// A file that is no usable checkpoint; the engine it was meant for is unchanged.
package org.swarmgrad;

/** A checkpoint or safetensors file that cannot be read, written or used with this engine. */
public final class CheckpointException extends SwarmgradException {
  private static final long serialVersionUID = 1L;

  /**
   * Creates the exception.
   *
   * @param message one line: what failed, what was found, what is allowed or what to do
   */
  public CheckpointException(String message) {
    super(message);
  }
}
