// What a GPU's management library (NVML) reads of it at a moment; nothing that engines need.
package org.swarmgrad;

import java.util.OptionalInt;

/**
 * One look at a GPU's sensors. A card may lack any of them, and parts of a divided card (MIG) have
 * few: each reading stands for itself.
 *
 * @param driver version of the driver, for example "580.65.06", or why it is unknown
 * @param utilisation share of the last period in which kernels ran, percent
 * @param memoryUtilisation share of the last period in which memory was read or written, percent
 * @param temperature of the chip, degrees Celsius
 * @param clock of the multiprocessors, MHz
 * @param memoryClock of the memory, MHz
 */
public record DeviceTelemetry(
    String driver,
    Reading utilisation,
    Reading memoryUtilisation,
    Reading temperature,
    Reading clock,
    Reading memoryClock) {

  /**
   * A value, or why there is none.
   *
   * @param value empty where it cannot be read
   * @param unknown the library's own words, empty where the value is there
   */
  public record Reading(OptionalInt value, String unknown) {}
}
