// The environments of this process that users brought: compiled or loaded once, remembered with
// their source.
package org.swarmgrad.internal;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.swarmgrad.EnvironmentInfo;
import org.swarmgrad.EnvironmentSource;

public final class UserEnvironments {
  private static final Map<String, EnvironmentSource> SOURCES = new ConcurrentHashMap<>();

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
    for (Map.Entry<String, EnvironmentSource> known : SOURCES.entrySet()) {
      if (known.getValue().file().equals(path) && isUnchanged(known.getValue())) {
        return NativeCatalogue.environment(known.getKey());
      }
    }
    EnvironmentInfo info;
    EnvironmentSource source;
    if (isLibrary(path)) {
      requireWhole(path);
      info = NativeCatalogue.load(path);
      source = new EnvironmentSource(path, Digests.sha256(List.of(path)), List.of(path));
    } else {
      EnvironmentCompiler.Compiled compiled = compiler.compile(path);
      info = NativeCatalogue.load(compiled.library());
      source = compiled.source();
    }
    SOURCES.putIfAbsent(info.id(), source);
    return info;
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
    return SOURCES.values().stream().anyMatch(source -> source.sha256().equals(sha256));
  }

  /** Where an environment came from, empty for those of the engine library. */
  public static Optional<EnvironmentSource> source(String id) {
    return Optional.ofNullable(SOURCES.get(id));
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
