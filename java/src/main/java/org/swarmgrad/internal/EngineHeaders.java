// The engine's headers that a user's environment includes, out of the class path into a folder that
// a compiler can read.
package org.swarmgrad.internal;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.JarURLConnection;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

final class EngineHeaders {
  private static final String FOLDER = "/org/swarmgrad/headers";

  private EngineHeaders() {}

  /** The folder to include from: below `cache`, unless the class path is a folder itself. */
  static Path unpack(Path cache) throws IOException {
    URL url = EngineHeaders.class.getResource(FOLDER + "/core/environment.h");
    if (url == null) {
      throw new AssertionError("the class path holds no " + FOLDER);
    }
    if (!(url.openConnection() instanceof JarURLConnection connection)) {
      return path(url).getParent().getParent();
    }
    try (FileSystem jar =
        FileSystems.newFileSystem(path(connection.getJarFileURL()), (ClassLoader) null)) {
      return unpack(jar.getPath(FOLDER), cache);
    }
  }

  /** One file as text. */
  static String text(String name) {
    try (InputStream stream = EngineHeaders.class.getResourceAsStream(FOLDER + "/" + name)) {
      return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  /** Over the names and contents of a folder's files. */
  static String sha256(Path folder) throws IOException {
    Digests digest = new Digests();
    for (Path file : files(folder)) {
      digest.add(folder.relativize(file).toString()).add(Files.readAllBytes(file));
    }
    return digest.finish();
  }

  private static List<Path> files(Path folder) throws IOException {
    try (Stream<Path> all = Files.walk(folder)) {
      return all.filter(Files::isRegularFile).sorted().toList();
    }
  }

  private static Path path(URL url) {
    try {
      return Path.of(new URI(url.toString()));
    } catch (URISyntaxException failure) {
      throw new AssertionError(url + " is no URI", failure);
    }
  }

  /** Headers of other content lie in another folder, so that nobody's are changed under them. */
  private static Path unpack(Path source, Path cache) throws IOException {
    Path folder = cache.resolve(sha256(source));
    for (Path file : files(source)) {
      Path target = folder.resolve(source.relativize(file).toString());
      byte[] content = Files.readAllBytes(file);
      if (!Files.exists(target) || !Arrays.equals(Files.readAllBytes(target), content)) {
        Files.createDirectories(target.getParent());
        Path temporary = Files.createTempFile(target.getParent(), "unpacking-", null);
        Files.write(temporary, content);
        Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
      }
    }
    return folder;
  }
}
