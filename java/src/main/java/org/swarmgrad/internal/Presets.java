// Why a class of the JavaCPP CUDA presets cannot be used, in one line, and what to add. Their
// classes
// fail to load where the driver is missing, so they are touched only after the CUDA engine's own
// library has reported a device.
package org.swarmgrad.internal;

import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.swarmgrad.LibraryException;

final class Presets {
  static final String VERSION = "13.1-9.19-1.5.13";

  /** What a library that the presets need comes with. */
  private static final Map<String, String> SOURCES =
      Map.of(
          "libcuda.so",
          "it comes with NVIDIA's driver",
          "libnvidia-ml.so",
          "it comes with NVIDIA's driver; a container shows it where NVIDIA_DRIVER_CAPABILITIES"
              + " holds utility",
          "libcudart.so",
          "it comes with the artifact org.swarmgrad:swarmgrad, classifier linux-x86_64-cuda, with"
              + " the CUDA toolkit, or with org.bytedeco:cuda-redist:"
              + VERSION,
          "libnvrtc",
          "it comes with the CUDA toolkit, or with the artifact org.bytedeco:cuda-redist:"
              + VERSION
              + ", classifier linux-x86_64");

  private Presets() {}

  /**
   * Makes a call that touches a class of the presets.
   *
   * @throws LibraryException saying what is missing and where it comes from
   */
  static <T> T use(Supplier<T> call) {
    try {
      return call.get();
    } catch (LinkageError failure) {
      throw new LibraryException(reason(failure));
    }
  }

  /** The first failure tells why; the JVM's later ones refer to it. */
  private static String reason(LinkageError failure) {
    Throwable deepest = failure;
    while (deepest.getCause() != null) {
      deepest = deepest.getCause();
    }
    String message = String.valueOf(deepest.getMessage()).lines().findFirst().orElse("");
    for (Map.Entry<String, String> source : SOURCES.entrySet()) {
      int named = message.lastIndexOf(source.getKey());
      if (named >= 0) {
        return message.substring(named) + "; " + source.getValue();
      }
    }
    String artifact = "org.bytedeco:cuda:" + VERSION;
    if (List.of("org/bytedeco", "org.bytedeco").stream().anyMatch(message::contains)) {
      return "the class path lacks the artifact " + artifact + " (" + message + ")";
    }
    return message.contains("jnicudart")
        ? "the class path lacks the artifact "
            + artifact
            + " with classifier linux-x86_64 ("
            + message
            + ")"
        : message;
  }
}
