// The C signature of one function of swarmgrad.h, written beside its method handle; not a general
// binding generator.
package org.swarmgrad.internal;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.RECORD_COMPONENT)
@interface NativeSignature {
  /** Name of the symbol. */
  String name();

  /** C return type: int.class, double.class or MemorySegment.class. */
  Class<?> returns() default int.class;

  /** C argument types: int.class, long.class, double.class or MemorySegment.class (a pointer). */
  Class<?>[] takes() default {};
}
