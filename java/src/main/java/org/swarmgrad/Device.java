// Where an engine runs, as people ask for it: a backend and which of its devices; what a device is
// like is DeviceInfo's.
package org.swarmgrad;

import java.util.Optional;
import java.util.function.Consumer;

/**
 * A processor to run on.
 *
 * @param backend the kind
 * @param index which of the backend's devices, 0 the first; 0 for the CPU and for AUTO
 */
public record Device(Backend backend, int index) {
  /** All cores of this machine. */
  public static final Device CPU = new Device(Backend.CPU, 0);

  /** The first GPU. */
  public static final Device CUDA = new Device(Backend.CUDA, 0);

  /** The first GPU where there is one, else the CPU. */
  public static final Device AUTO = new Device(Backend.AUTO, 0);

  /**
   * Checks the values.
   *
   * @throws IllegalArgumentException naming the value that is not allowed
   */
  public Device {
    Checks.present("backend", backend);
    Checks.range(
        "index of device " + backend, index, 0, backend == Backend.CUDA ? Integer.MAX_VALUE : 0);
  }

  /**
   * Reads a choice as written on the command line.
   *
   * @param text "cpu", "cuda", "cuda:1" or "auto"
   * @return the choice
   * @throws IllegalArgumentException naming the allowed choices
   */
  public static Device parse(String text) {
    for (Device device : new Device[] {CPU, CUDA, AUTO}) {
      if (device.toString().equals(text)) {
        return device;
      }
    }
    String prefix = Backend.CUDA + ":";
    if (Checks.present("device", text).startsWith(prefix)) {
      try {
        return new Device(Backend.CUDA, Integer.parseUnsignedInt(text.substring(prefix.length())));
      } catch (IllegalArgumentException failure) {
        // Falls through to the one message for all that is not allowed.
      }
    }
    throw new IllegalArgumentException(
        "device is '" + text + "'; allowed: cpu, cuda, cuda:INDEX, auto");
  }

  /**
   * Where an engine asked for this runs.
   *
   * @param fallback hears, where AUTO becomes the CPU, why
   * @return this, or what AUTO stands for on this machine
   */
  public Device resolve(Consumer<String> fallback) {
    if (backend != Backend.AUTO) {
      return this;
    }
    Optional<String> failure = Swarmgrad.cudaFailure();
    failure.ifPresent(reason -> fallback.accept("device auto is cpu: " + reason));
    return failure.isEmpty() ? CUDA : CPU;
  }

  /** Writes what {@link #parse} reads. */
  @Override
  public String toString() {
    return index == 0 ? backend.toString() : backend + ":" + index;
  }
}
