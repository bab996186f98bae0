// The GPUs that the CUDA engine's library reports, and why there are none; whether the library
// itself
// is there is part of the answer.
package org.swarmgrad.internal;

import static org.swarmgrad.internal.Layouts.getInt;
import static org.swarmgrad.internal.Layouts.getLong;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.swarmgrad.Backend;
import org.swarmgrad.Device;
import org.swarmgrad.DeviceInfo;
import org.swarmgrad.SwarmgradException;

public final class NativeDevices {
  private NativeDevices() {}

  /** Why no GPU can be used, empty where one can. */
  public static Optional<String> failure() {
    try {
      count(NativeLibrary.cuda());
      return Optional.empty();
    } catch (SwarmgradException none) {
      return Optional.of(none.getMessage());
    }
  }

  /** Every GPU that CUDA shows to this process; throws SwarmgradException where there is none. */
  public static List<DeviceInfo> all() {
    NativeLibrary library = NativeLibrary.cuda();
    List<DeviceInfo> devices = new ArrayList<>();
    for (int i = 0; i < count(library); i++) {
      devices.add(read(library, i));
    }
    return List.copyOf(devices);
  }

  private static int count(NativeLibrary library) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment count = arena.allocate(ValueLayout.JAVA_INT);
      library.check(() -> (int) library.functions().deviceCount().invokeExact(count));
      return count.get(ValueLayout.JAVA_INT, 0);
    }
  }

  /** One GPU; throws IllegalArgumentException where there are fewer. */
  static DeviceInfo read(NativeLibrary library, int index) {
    StructLayout layout = Layouts.DEVICE_INFO;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment struct = Layouts.allocate(arena, layout);
      library.check(() -> (int) library.functions().device().invokeExact(index, struct));
      return new DeviceInfo(
          new Device(Backend.CUDA, index),
          struct.getString(Layouts.offset(layout, "name")),
          getInt(layout, struct, "compute_major") + "." + getInt(layout, struct, "compute_minor"),
          getInt(layout, struct, "multiprocessors"),
          getLong(layout, struct, "memory_bytes"),
          getLong(layout, struct, "free_memory_bytes"),
          version(getInt(layout, struct, "driver_version")),
          version(getInt(layout, struct, "runtime_version")),
          String.format(
              Locale.ROOT,
              "%08x:%02x:%02x.0",
              getInt(layout, struct, "pci_domain"),
              getInt(layout, struct, "pci_bus"),
              getInt(layout, struct, "pci_slot")));
    }
  }

  /** 13000 is 13.0. */
  private static String version(int number) {
    return number / 1000 + "." + number % 1000 / 10;
  }
}
