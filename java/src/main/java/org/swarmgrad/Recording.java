// One batch with everything written down, for judges and files; training itself never makes one.
package org.swarmgrad;

import java.util.List;

/**
 * A batch, its gradient and its statistics.
 *
 * @param trajectories [group]
 * @param gradient of this batch
 */
public record Recording(List<Trajectories> trajectories, Gradient gradient) {
  /** Copies the list. */
  public Recording {
    trajectories = List.copyOf(trajectories);
  }
}
