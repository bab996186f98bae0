// What compilers made, each file in a folder named after everything that decides it; whole, or not
// there at all.
package org.swarmgrad.internal;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.stream.Stream;

/**
 * Entries of one kind.
 *
 * @param folder that holds them, made if missing
 * @param file every entry's file by name, for example environment.so
 */
record BuildCache(Path folder, String file) {
  private static final Object LOCK = new Object();

  /** Something done in a folder of its own, which goes afterwards. */
  interface Work<T> {
    T run(Path work) throws IOException;
  }

  /** Leaves the entry's file in the folder. */
  interface Maker {
    void make(Path work) throws IOException;
  }

  <T> T work(Work<T> body) {
    try {
      Path work = Files.createTempDirectory(Files.createDirectories(folder), "building-");
      try {
        return body.run(work);
      } finally {
        remove(work);
      }
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  /** The file of an entry; where it is missing or damaged, `work` becomes the entry. */
  Path entry(String key, Path work, Maker maker) throws IOException {
    Path entry = folder.resolve(key);
    synchronized (LOCK) { // a process's file locks do not hold among its own threads
      try (FileChannel channel =
              FileChannel.open(
                  folder.resolve(key + ".lock"),
                  StandardOpenOption.CREATE,
                  StandardOpenOption.WRITE);
          FileLock lock = channel.lock()) {
        if (lock.isValid() && !isWhole(entry)) {
          remove(entry);
          maker.make(work);
          Files.writeString(digest(work), Digests.sha256(Files.readAllBytes(work.resolve(file))));
          Files.move(work, entry, StandardCopyOption.ATOMIC_MOVE);
        }
      }
    }
    return entry.resolve(file);
  }

  /** Whether an entry holds the file that was written there: a damaged one could end the JVM. */
  private boolean isWhole(Path entry) throws IOException {
    try {
      return Digests.sha256(Files.readAllBytes(entry.resolve(file)))
          .equals(Files.readString(digest(entry)));
    } catch (NoSuchFileException missing) {
      return false;
    }
  }

  private Path digest(Path entry) {
    return entry.resolve(file.substring(0, file.lastIndexOf('.')) + ".sha256");
  }

  private static void remove(Path folder) throws IOException {
    if (!Files.exists(folder)) {
      return;
    }
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path each : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(each);
      }
    }
  }
}
