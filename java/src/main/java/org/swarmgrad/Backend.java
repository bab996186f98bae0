// The kinds of engine that exist; which of them this machine can run, Swarmgrad says.
package org.swarmgrad;

/** What plays and learns. The choice changes speed, not the trajectories. */
public enum Backend {
  /** Vector instructions on all cores; everywhere. */
  CPU,
  /** An NVIDIA GPU; where the CUDA library is packed and its driver reports one. */
  CUDA,
  /** CUDA where it can be used, else the CPU, which is said once. */
  AUTO;

  @Override
  public String toString() {
    return Labels.label(this);
  }

  /** Reads the backend that something was made on, which AUTO never is. */
  static Backend parseMade(String text) {
    for (Backend backend : new Backend[] {CPU, CUDA}) {
      if (backend.toString().equals(text)) {
        return backend;
      }
    }
    throw new IllegalArgumentException("backend is '" + text + "'; allowed: cpu, cuda");
  }
}
