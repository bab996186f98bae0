// Reads files of recorded trajectories and says what is wrong with them; does not replay them.
package org.swarmgrad.cli.trace;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

/**
 * Reads recorded trajectories, gzip or plain JSON, and finds what is wrong with a file; does not
 * replay them.
 */
final class Recordings {
  /**
   * No recording comes near this; a small gzip file that unpacks beyond it is hostile or not a
   * recording.
   */
  private static final long LARGEST_BYTES = 1L << 28;

  /** Reads to the end of the file, where gzip keeps its checksum. */
  private static final ObjectMapper MAPPER =
      new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  private Recordings() {}

  static JsonNode read(Path path) throws IOException {
    if (Files.isDirectory(path)) {
      throw new IOException(path + ": not a recording: a folder");
    }
    try (InputStream file = new BufferedInputStream(Files.newInputStream(path))) {
      file.mark(2);
      boolean gzip = file.read() == 0x1f && file.read() == 0x8b;
      file.reset();
      try (InputStream bytes = new Bounded(gzip ? new GZIPInputStream(file) : file, path)) {
        JsonNode root = MAPPER.readTree(bytes);
        if (root == null || !root.isObject()) {
          throw new IOException(path + ": not a recording: the file is not one JSON object");
        }
        return root;
      }
    } catch (JsonProcessingException failure) {
      throw new IOException(path + ": not a recording: " + failure.getOriginalMessage(), failure);
    } catch (ZipException | EOFException failure) {
      throw new IOException(path + ": not a recording: damaged gzip data", failure);
    }
  }

  static IOException malformed(String where, String what) {
    return new IOException(where + ": " + what);
  }

  static JsonNode member(JsonNode object, String name, String where) throws IOException {
    JsonNode value = object.get(name);
    if (value == null) {
      throw malformed(where, "no '" + name + "'");
    }
    return value;
  }

  static String text(JsonNode object, String name, String where) throws IOException {
    JsonNode value = member(object, name, where);
    if (!value.isTextual()) {
      throw malformed(where, "'" + name + "' is not a text");
    }
    return value.textValue();
  }

  static JsonNode array(JsonNode object, String name, String where) throws IOException {
    JsonNode value = member(object, name, where);
    if (!value.isArray()) {
      throw malformed(where, "'" + name + "' is not an array");
    }
    return value;
  }

  /**
   * Numbers of an array of any depth, slowest index first; a boolean counts as 0 or 1, null is NaN.
   */
  static double[] numbers(JsonNode value, int count, String where) throws IOException {
    double[] numbers = new double[count];
    int found = flatten(value, numbers, 0, where);
    if (found != count) {
      throw malformed(where, found + " numbers; needed: " + count);
    }
    return numbers;
  }

  private static int flatten(JsonNode value, double[] numbers, int position, String where)
      throws IOException {
    if (value.isArray()) {
      int next = position;
      for (JsonNode element : value) {
        next = flatten(element, numbers, next, where);
      }
      return next;
    }
    if (!value.isNumber() && !value.isBoolean() && !value.isNull()) {
      throw malformed(where, "'" + value + "' is not a number");
    }
    if (position < numbers.length) {
      numbers[position] =
          value.isNull()
              ? Double.NaN
              : value.isBoolean() ? (value.booleanValue() ? 1 : 0) : value.doubleValue();
    }
    return position + 1;
  }

  /** How many numbers an array of any depth holds. */
  static int count(JsonNode value, String where) throws IOException {
    return flatten(value, new double[0], 0, where);
  }

  /** Whole numbers of an array of any depth, slowest index first. */
  static int[] integers(JsonNode value, int count, String where) throws IOException {
    double[] numbers = numbers(value, count, where);
    int[] integers = new int[count];
    for (int k = 0; k < count; k++) {
      integers[k] = (int) numbers[k];
      if (integers[k] != numbers[k]) {
        throw malformed(where, numbers[k] + "; allowed: whole numbers");
      }
    }
    return integers;
  }

  /** An index of an array of `count`. */
  static int index(int index, int count, String where) throws IOException {
    if (index < 0 || index >= count) {
      throw malformed(where, index + "; allowed: 0 to " + (count - 1));
    }
    return index;
  }

  static boolean anyTrue(JsonNode value) {
    for (JsonNode element : value) {
      if (anyTrue(element)) {
        return true;
      }
    }
    return value.asBoolean();
  }

  static boolean containsNull(JsonNode value) {
    if (value.isNull()) {
      return true;
    }
    for (JsonNode child : value) {
      if (containsNull(child)) {
        return true;
      }
    }
    return false;
  }

  /** Fails once more than LARGEST_BYTES were read. */
  private static final class Bounded extends FilterInputStream {
    private final Path path;
    private long read;

    Bounded(InputStream input, Path path) {
      super(input);
      this.path = path;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
      int count = super.read(bytes, offset, length);
      read += Math.max(count, 0);
      if (read > LARGEST_BYTES) {
        throw new IOException(
            path + ": more than " + LARGEST_BYTES + " bytes of JSON; allowed: at most that");
      }
      return count;
    }
  }
}
