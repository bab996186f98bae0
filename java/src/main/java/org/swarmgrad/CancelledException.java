// A cancelled call; parameters are those of the last complete iteration.
package org.swarmgrad;

import java.util.List;

/**
 * The call was cancelled by {@link Engine#cancel()}; parameters are those of the last complete
 * iteration.
 */
public final class CancelledException extends SwarmgradException {
  private static final long serialVersionUID = 1L;

  private final transient List<List<Statistics>> completed;

  /**
   * Creates the exception.
   *
   * @param message one line: what was cancelled
   * @param completed statistics of the iterations that the call completed before,
   *     [iteration][group]
   */
  public CancelledException(String message, List<List<Statistics>> completed) {
    super(message);
    this.completed = List.copyOf(completed);
  }

  /**
   * What the call completed before it was cancelled.
   *
   * @return [iteration][group]; empty where nothing was completed
   */
  public List<List<Statistics>> completed() {
    return completed;
  }
}
