// Writes a file that appears complete or not at all, whatever ends the process or fills the disk;
// knows nothing of what is in it.
package org.swarmgrad.internal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.UUID;

/** Writing under a temporary name beside the file, which a killed process leaves behind. */
public final class WholeFile {
  /** How temporary names end. */
  public static final String PARTIAL = ".partial";

  private WholeFile() {}

  /** What fills a file. */
  public interface Content {
    /**
     * Writes all of it.
     *
     * @param channel of the empty file
     * @throws IOException leaves the old file as it was
     */
    void writeTo(FileChannel channel) throws IOException;
  }

  /**
   * Writes a file: under a temporary name, forced to the disk, then renamed.
   *
   * @param path replaced if it exists
   * @param content of the file
   * @throws IOException where it cannot be written; what was there still is
   */
  public static void write(Path path, Content content) throws IOException {
    // Not createTempFile: that makes files which only their owner may read.
    Path partial = partial(path);
    try {
      try (FileChannel channel =
          FileChannel.open(partial, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
        content.writeTo(channel);
        channel.force(true);
      }
      Files.move(
          partial, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(partial);
    }
    forceFolder(path.toAbsolutePath().getParent());
  }

  /**
   * A new temporary name beside a file or folder.
   *
   * @param path of what is to appear complete
   * @return a path in the same folder, which does not exist
   */
  public static Path partial(Path path) {
    Path whole = path.toAbsolutePath();
    return whole.resolveSibling(whole.getFileName() + "." + UUID.randomUUID() + PARTIAL);
  }

  /**
   * Makes renames last: they do only once the folder has reached the disk.
   *
   * @param folder in which something was renamed
   * @throws IOException where it cannot be opened
   */
  public static void forceFolder(Path folder) throws IOException {
    try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  /**
   * Writes everything that a buffer holds.
   *
   * @param channel to write to
   * @param bytes from the position to the limit
   * @throws IOException where the channel has no room
   */
  public static void writeFully(FileChannel channel, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }
}
