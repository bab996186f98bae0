// Where a user's own environment came from: the file that was named, and what it holds; not the
// environment.
package org.swarmgrad;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.swarmgrad.internal.UserEnvironments;

/**
 * The file that a user's environment was made of. A training can go on only with the source it
 * began with, so files that hold a configuration hold the path and the hash.
 *
 * @param file the header, or the library, absolute
 * @param sha256 over the header and everything it includes but the engine's and the system's
 *     headers, in hexadecimal; of a library over its bytes
 * @param files those that went into the hash, `file` the first
 */
public record EnvironmentSource(Path file, String sha256, List<Path> files) {
  private static final String FILE = "environment_source";
  private static final String SHA256 = "environment_sha256";

  /** The names under which a configuration holds a source, beside the environment's own. */
  public static final List<String> KEYS = List.of(FILE, SHA256);

  /** Copies the list. */
  public EnvironmentSource {
    files = List.copyOf(files);
  }

  /** Adds what {@link #restore} reads. */
  void addTo(Map<String, String> map) {
    map.put(FILE, file.toString());
    map.put(SHA256, sha256);
  }

  /** The hash decides what is computed; where the file lies does not. */
  static boolean decidesNothing(String name) {
    return name.equals(FILE);
  }

  /**
   * Loads the environment that a map written by {@link #addTo} names, unless this process has it
   * from a file of the same content.
   *
   * @throws CompilationException where the file is gone, or is not what it was
   */
  static void restore(Map<String, String> map, String environment) {
    String name = map.get(FILE);
    if (name == null) {
      return;
    }
    String sha256 = Labels.text(map, SHA256);
    if (UserEnvironments.holds(sha256)) {
      return;
    }
    Path file = Path.of(name);
    if (!file.isAbsolute()) {
      throw new IllegalArgumentException(
          FILE + " is '" + name + "'; allowed: an absolute path, which is what is written");
    }
    String found = "no longer exists";
    if (Files.isRegularFile(file)) {
      if (UserEnvironments.sha256(file).equals(sha256)) {
        UserEnvironments.load(file);
        return;
      }
      found = "has changed since";
    }
    throw new CompilationException(
        "the environment "
            + environment
            + " was made of "
            + file
            + ", which "
            + found
            + "; allowed: what it was made of, of which a run folder keeps a copy (--env"
            + " RUN/environment/"
            + file.getFileName()
            + ")",
        "");
  }

  /**
   * Copies the source, with everything of the user's that it includes, keeping how the files lie to
   * each other.
   *
   * @param folder made if missing
   * @throws IOException where a file cannot be read or written
   */
  public void copyTo(Path folder) throws IOException {
    Path root = file.getParent();
    for (Path each : files) {
      while (!each.startsWith(root)) {
        root = root.getParent();
      }
    }
    for (Path each : files) {
      Path copy = folder.resolve(root.relativize(each).toString());
      Files.createDirectories(copy.getParent());
      Files.copy(each, copy);
    }
  }

  /** The source of an environment of the catalogue, empty for the shipped ones. */
  static Optional<EnvironmentSource> of(String id) {
    return UserEnvironments.source(id);
  }
}
