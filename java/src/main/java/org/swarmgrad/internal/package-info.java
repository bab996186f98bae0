/**
 * The native binding: the only place that imports java.lang.foreign or org.bytedeco. Not for users.
 */
package org.swarmgrad.internal;
