// What the engine libraries are and offer: version, environments, instruction sets, GPUs; nothing
// that runs.
package org.swarmgrad;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.swarmgrad.internal.NativeCatalogue;
import org.swarmgrad.internal.NativeDevices;
import org.swarmgrad.internal.NativeLibrary;
import org.swarmgrad.internal.NativeTelemetry;

/** The engine libraries and their catalogue. */
public final class Swarmgrad {
  private Swarmgrad() {}

  /**
   * Why the engine library could not be loaded; everything else of this package that needs it
   * throws a {@link LibraryException} with this message.
   *
   * @return the message, empty where the library is there
   */
  public static Optional<String> libraryFailure() {
    return NativeLibrary.cpuFailure();
  }

  /**
   * File of the loaded engine library.
   *
   * @return its path
   */
  public static String libraryPath() {
    return NativeLibrary.cpu().path();
  }

  /**
   * Why no GPU can be used: the CUDA engine's library is missing or does not load, the driver is
   * missing or too old, or there is no device.
   *
   * @return what was found and what to do; empty where an engine can be opened with {@link
   *     Device#CUDA}
   */
  public static Optional<String> cudaFailure() {
    return NativeDevices.failure();
  }

  /**
   * Every GPU that CUDA shows to this process.
   *
   * @return by index, at least one
   * @throws LibraryException with the text of {@link #cudaFailure()} where there is none
   */
  public static List<DeviceInfo> cudaDevices() {
    return NativeDevices.all();
  }

  /**
   * What a GPU's sensors read now, through NVML.
   *
   * @param device to look at
   * @return one look
   * @throws LibraryException where NVML, or JavaCPP's CUDA presets that call it, are missing or
   *     refuse
   */
  public static DeviceTelemetry telemetry(DeviceInfo device) {
    return NativeTelemetry.read(Checks.present("device", device));
  }

  /**
   * Version of the engine library.
   *
   * @return for example "0.1.0"
   */
  public static String version() {
    return NativeCatalogue.version();
  }

  /**
   * Every environment of the library.
   *
   * @return the catalogue in the library's order
   */
  public static List<EnvironmentInfo> environments() {
    return NativeCatalogue.environments();
  }

  /**
   * An environment by id.
   *
   * @param id for example "simple_spread_v3", or a member of a family such as
   *     "Foraging-8x8-2p-2f-coop-v3"
   * @return its catalogue entry, the parameters' defaults as the id says
   * @throws IllegalArgumentException naming the environments that exist
   */
  public static EnvironmentInfo environment(String id) {
    if (Checks.present("environment", id).startsWith(JavaEnvironment.PREFIX)) {
      return new EnvironmentInfo(
          id, null, "written in Java", "An environment written in Java.", List.of());
    }
    return NativeCatalogue.environment(id);
  }

  /**
   * Whether this processor can run an instruction set and the library holds it.
   *
   * @param instructionSet to ask for; AUTO: whether any can be used
   * @return true where an engine can be opened with it
   */
  public static boolean isAvailable(InstructionSet instructionSet) {
    return NativeCatalogue.isAvailable(Checks.present("isa", instructionSet));
  }

  /**
   * Instruction sets that an engine can be opened with here.
   *
   * @return without AUTO
   */
  public static List<InstructionSet> instructionSets() {
    return Arrays.stream(InstructionSet.values())
        .filter(set -> set != InstructionSet.AUTO && isAvailable(set))
        .toList();
  }
}
