// The library's own description of what it holds, as Java values.
package org.swarmgrad.internal;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.swarmgrad.EnvironmentInfo;
import org.swarmgrad.EnvironmentParameter;
import org.swarmgrad.InstructionSet;

public final class NativeCatalogue {
  /** Read once, and again when a user's environment has been loaded. */
  private static final class Holder {
    static volatile List<EnvironmentInfo> environments = read();
  }

  private NativeCatalogue() {}

  private static NativeFunctions functions() {
    return NativeLibrary.cpu().functions();
  }

  public static String version() {
    return Calls.value(() -> Layouts.string((MemorySegment) functions().version().invokeExact()));
  }

  public static boolean isAvailable(InstructionSet instructionSet) {
    int isa = instructionSet.ordinal();
    return Calls.value(() -> (int) functions().isaAvailable().invokeExact(isa)) != 0;
  }

  public static List<EnvironmentInfo> environments() {
    NativeLibrary.cpu(); // where it is missing, Holder could say so only once
    return Holder.environments;
  }

  /** Adds the environment of a user's library; a second time nothing happens. */
  static synchronized EnvironmentInfo load(Path library) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment name = arena.allocateFrom(library.toString());
      MemorySegment index = arena.allocate(ValueLayout.JAVA_INT);
      NativeLibrary.cpu().check(() -> (int) functions().loadEnvironment().invokeExact(name, index));
      Holder.environments = read();
      return Holder.environments.get(index.get(ValueLayout.JAVA_INT, 0));
    }
  }

  /** The catalogue entry that an id names, with the defaults that the id says. */
  public static EnvironmentInfo environment(String id) {
    List<EnvironmentInfo> environments = environments();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment text = arena.allocateFrom(id);
      MemorySegment index = arena.allocate(ValueLayout.JAVA_INT);
      find(text, index, MemorySegment.NULL, 0);
      EnvironmentInfo family = environments.get(index.get(ValueLayout.JAVA_INT, 0));
      int count = family.parameters().size();
      MemorySegment defaults = arena.allocate(ValueLayout.JAVA_DOUBLE, count);
      find(text, index, defaults, count);
      List<EnvironmentParameter> parameters = new ArrayList<>(count);
      for (int i = 0; i < count; i++) {
        parameters.add(
            family
                .parameters()
                .get(i)
                .withDefault(defaults.getAtIndex(ValueLayout.JAVA_DOUBLE, i)));
      }
      return new EnvironmentInfo(
          id, family.idPattern(), family.summary(), family.description(), parameters);
    }
  }

  private static void find(
      MemorySegment id, MemorySegment index, MemorySegment parameters, int capacity) {
    NativeLibrary.cpu()
        .check(
            () -> (int) functions().findEnvironment().invokeExact(id, index, parameters, capacity));
  }

  private static List<EnvironmentInfo> read() {
    int count = Calls.value(() -> (int) functions().environmentCount().invokeExact());
    List<EnvironmentInfo> environments = new ArrayList<>(count);
    try (Arena arena = Arena.ofConfined()) {
      for (int i = 0; i < count; i++) {
        environments.add(environment(arena, i));
      }
    }
    return List.copyOf(environments);
  }

  private static EnvironmentInfo environment(Arena arena, int index) {
    MemorySegment info = Layouts.allocate(arena, Layouts.ENVIRONMENT_INFO);
    NativeLibrary.cpu().check(() -> (int) functions().environment().invokeExact(index, info));
    List<EnvironmentParameter> parameters = new ArrayList<>();
    for (int i = 0; i < Layouts.getInt(Layouts.ENVIRONMENT_INFO, info, "parameter_count"); i++) {
      parameters.add(parameter(arena, index, i));
    }
    return new EnvironmentInfo(
        Layouts.getString(Layouts.ENVIRONMENT_INFO, info, "id"),
        Layouts.getString(Layouts.ENVIRONMENT_INFO, info, "id_pattern"),
        Layouts.getString(Layouts.ENVIRONMENT_INFO, info, "summary"),
        Layouts.getString(Layouts.ENVIRONMENT_INFO, info, "description"),
        parameters);
  }

  private static EnvironmentParameter parameter(Arena arena, int environment, int index) {
    MemorySegment info = Layouts.allocate(arena, Layouts.PARAMETER_INFO);
    NativeLibrary.cpu()
        .check(
            () -> (int) functions().environmentParameter().invokeExact(environment, index, info));
    String choices = Layouts.getString(Layouts.PARAMETER_INFO, info, "choices");
    return new EnvironmentParameter(
        Layouts.getString(Layouts.PARAMETER_INFO, info, "name"),
        Layouts.getString(Layouts.PARAMETER_INFO, info, "summary"),
        Layouts.getInt(Layouts.PARAMETER_INFO, info, "is_integer") != 0,
        Layouts.getDouble(Layouts.PARAMETER_INFO, info, "default_value"),
        Layouts.getDouble(Layouts.PARAMETER_INFO, info, "minimum"),
        Layouts.getDouble(Layouts.PARAMETER_INFO, info, "maximum"),
        choices == null ? List.of() : List.of(choices.split("\\|", -1)));
  }
}
