// Reads a GPU's sensors through the JavaCPP CUDA presets' NVML. Everything that can be missing (the
// presets, the driver's library, a sensor) is said, never guessed.
package org.swarmgrad.internal;

import java.nio.charset.StandardCharsets;
import java.util.OptionalInt;
import java.util.function.ToIntFunction;
import org.bytedeco.cuda.global.nvml;
import org.bytedeco.cuda.nvml.nvmlDevice_st;
import org.bytedeco.cuda.nvml.nvmlUtilization_t;
import org.bytedeco.javacpp.BytePointer;
import org.swarmgrad.DeviceInfo;
import org.swarmgrad.DeviceTelemetry;
import org.swarmgrad.DeviceTelemetry.Reading;
import org.swarmgrad.LibraryException;

public final class NativeTelemetry {
  private static final int DRIVER_VERSION_BYTES = 80;

  private NativeTelemetry() {}

  /**
   * Reads the sensors of a GPU that the engine's library has reported.
   *
   * @throws LibraryException saying why NVML tells nothing
   */
  public static DeviceTelemetry read(DeviceInfo device) {
    return Presets.use(
        () -> {
          require("nvmlInit", nvml.nvmlInit_v2());
          try {
            return read(find(device.pciBusId()));
          } finally {
            nvml.nvmlShutdown();
          }
        });
  }

  private static nvmlDevice_st find(String pciBusId) {
    nvmlDevice_st device = new nvmlDevice_st();
    try (BytePointer name = new BytePointer(pciBusId)) {
      require(
          "nvmlDeviceGetHandleByPciBusId " + pciBusId,
          nvml.nvmlDeviceGetHandleByPciBusId_v2(name, device));
    }
    return device;
  }

  // Every driver has the older temperature call; asking one that lacks the newer ends the process.
  @SuppressWarnings("deprecation")
  private static DeviceTelemetry read(nvmlDevice_st device) {
    try (nvmlUtilization_t utilisation = new nvmlUtilization_t()) {
      int status = nvml.nvmlDeviceGetUtilizationRates(device, utilisation);
      return new DeviceTelemetry(
          driver(),
          reading(status, utilisation.gpu()),
          reading(status, utilisation.memory()),
          reading(value -> nvml.nvmlDeviceGetTemperature(device, nvml.NVML_TEMPERATURE_GPU, value)),
          reading(value -> nvml.nvmlDeviceGetClockInfo(device, nvml.NVML_CLOCK_SM, value)),
          reading(value -> nvml.nvmlDeviceGetClockInfo(device, nvml.NVML_CLOCK_MEM, value)));
    }
  }

  private static String driver() {
    byte[] text = new byte[DRIVER_VERSION_BYTES];
    int status = nvml.nvmlSystemGetDriverVersion(text, text.length);
    if (status != nvml.NVML_SUCCESS) {
      return "unknown (" + describe(status) + ")";
    }
    int length = 0;
    while (length < text.length && text[length] != 0) {
      length++;
    }
    return new String(text, 0, length, StandardCharsets.UTF_8);
  }

  /** A call that writes one number and returns NVML's status. */
  private static Reading reading(ToIntFunction<int[]> call) {
    int[] value = new int[1];
    return reading(call.applyAsInt(value), value[0]);
  }

  private static Reading reading(int status, int value) {
    return status == nvml.NVML_SUCCESS
        ? new Reading(OptionalInt.of(value), "")
        : new Reading(OptionalInt.empty(), describe(status));
  }

  private static String describe(int status) {
    return nvml.nvmlErrorString(status).getString();
  }

  private static void require(String call, int status) {
    if (status != nvml.NVML_SUCCESS) {
      throw new LibraryException("NVML's " + call + " answers: " + describe(status));
    }
  }
}
