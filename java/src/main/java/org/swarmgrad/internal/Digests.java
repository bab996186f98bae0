// SHA-256 as text; for identity of content, not for secrets.
package org.swarmgrad.internal;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

final class Digests {
  private final MessageDigest digest;

  Digests() {
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException failure) {
      throw new AssertionError("every Java platform has SHA-256", failure);
    }
  }

  static String sha256(byte[] bytes) {
    return HexFormat.of().formatHex(new Digests().digest.digest(bytes));
  }

  /** Over the contents of files, one after the other. */
  static String sha256(List<Path> files) {
    Digests digest = new Digests();
    try {
      for (Path file : files) {
        digest.add(Files.readAllBytes(file));
      }
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
    return digest.finish();
  }

  /** Adds a part; its length goes with it, so that parts cannot run into each other. */
  Digests add(byte[] part) {
    digest.update((part.length + ":").getBytes(StandardCharsets.US_ASCII));
    digest.update(part);
    return this;
  }

  Digests add(String part) {
    return add(part.getBytes(StandardCharsets.UTF_8));
  }

  String finish() {
    return HexFormat.of().formatHex(digest.digest());
  }
}
