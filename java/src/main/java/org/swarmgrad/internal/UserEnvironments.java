// The environments of this process that users brought: compiled or loaded once, remembered with
// their source, and given to the CUDA engine when it first plays them.
package org.swarmgrad.internal;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.swarmgrad.EnvironmentInfo;
import org.swarmgrad.EnvironmentSource;
import org.swarmgrad.LibraryException;

public final class UserEnvironments {
  /** What an environment was made of, and the library that was made. */
  private record Made(EnvironmentSource source, Path library) {}

  private static final Map<String, Made> ALL = new ConcurrentHashMap<>();
  private static final Set<String> ON_DEVICE = new HashSet<>();

  private UserEnvironments() {}

  /** Whether a text names a file rather than an id. */
  public static boolean isFile(String text) {
    String lower = text.toLowerCase(Locale.ROOT);
    return text.indexOf('/') >= 0
        || List.of(".hpp", ".h", ".hh", ".cuh", ".so").stream().anyMatch(lower::endsWith);
  }

  /** Adds the environment of a header or a library to the catalogue. */
  public static EnvironmentInfo load(Path file) {
    return load(file, EnvironmentCompiler.standard());
  }

  static synchronized EnvironmentInfo load(Path file, EnvironmentCompiler compiler) {
    Path path = existing(file);
    for (Map.Entry<String, Made> known : ALL.entrySet()) {
      EnvironmentSource source = known.getValue().source;
      if (source.file().equals(path) && isUnchanged(source)) {
        return NativeCatalogue.environment(known.getKey());
      }
    }
    Made made;
    if (isLibrary(path)) {
      requireWhole(path);
      made =
          new Made(new EnvironmentSource(path, Digests.sha256(List.of(path)), List.of(path)), path);
    } else {
      EnvironmentCompiler.Compiled compiled = compiler.compile(path);
      made = new Made(compiled.source(), compiled.library());
    }
    EnvironmentInfo info = NativeCatalogue.load(made.library);
    ALL.putIfAbsent(info.id(), made);
    return info;
  }

  /** Gives the CUDA engine a user's environment with its device code; once, and only a user's. */
  static void giveToCuda(String id) {
    giveToCuda(id, DeviceCode::standard);
  }

  static synchronized void giveToCuda(String id, Supplier<DeviceCode> compiler) {
    Made made = ALL.get(id);
    if (made == null || ON_DEVICE.contains(id)) {
      return;
    }
    if (isLibrary(made.source.file())) {
      throw new LibraryException(
          "environment "
              + id
              + " is of the library "
              + made.source.file()
              + ", which holds no code for a GPU; allowed with cuda: its header, by its path");
    }
    byte[] code = compiler.get().of(made.source);
    NativeLibrary cuda = NativeLibrary.cuda();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment name = arena.allocateFrom(made.library.toString());
      MemorySegment index = arena.allocate(ValueLayout.JAVA_INT);
      cuda.check(() -> (int) cuda.functions().loadEnvironment().invokeExact(name, index));
      int environment = index.get(ValueLayout.JAVA_INT, 0);
      MemorySegment memory = Calls.copy(arena, code);
      long bytes = code.length;
      cuda.check(
          () -> (int) cuda.functions().loadDeviceCode().invokeExact(environment, memory, bytes));
    }
    ON_DEVICE.add(id);
  }

  private static boolean isUnchanged(EnvironmentSource source) {
    return source.files().stream().allMatch(Files::isRegularFile)
        && source.sha256().equals(Digests.sha256(source.files()));
  }

  /** The text of the template. */
  public static String template() {
    return EngineHeaders.text("environments/my_game.hpp");
  }

  /** The hash that stands for what a header or a library computes. */
  public static String sha256(Path file) {
    Path path = existing(file);
    return isLibrary(path)
        ? Digests.sha256(List.of(path))
        : EnvironmentCompiler.standard().source(path).sha256();
  }

  /** Whether this process has an environment from a source of this content. */
  public static boolean holds(String sha256) {
    return ALL.values().stream().anyMatch(made -> made.source.sha256().equals(sha256));
  }

  /** Where an environment came from, empty for those of the engine library. */
  public static Optional<EnvironmentSource> source(String id) {
    return Optional.ofNullable(ALL.get(id)).map(Made::source);
  }

  private static void requireWhole(Path library) {
    try {
      Optional<String> damage = NativeLibrary.damage(library);
      if (damage.isPresent()) {
        throw new IllegalArgumentException("environment " + library + ": " + damage.get());
      }
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  private static boolean isLibrary(Path path) {
    return path.toString().toLowerCase(Locale.ROOT).endsWith(".so");
  }

  private static Path existing(Path file) {
    if (!Files.isRegularFile(file)) {
      throw new IllegalArgumentException(
          "environment is '"
              + file
              + "', which is no file; allowed: an id (swarmgrad envs), or a header or library that"
              + " exists");
    }
    return file.toAbsolutePath().normalize();
  }
}
