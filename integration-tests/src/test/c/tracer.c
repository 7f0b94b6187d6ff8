/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A JVMTI agent that writes down what is looked up by name while a program runs: by reflection, by method handles, as a proxy, as a
 * resource, and by JNI. It does what the tracing agent of GraalVM does, which comes only with GraalVM. The option is the file to
 * write; a line has five columns, separated by tabs: kind, class of the caller, type or name, member, parameter types.
 *
 * Reflection is seen by breakpoints at the first instruction of the JDK's methods, JNI by functions in place of the JVM's.
 */
#include <jvmti.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FORM_NAME, FORM_MEMBER, FORM_ALL, FORM_FIELD, FORM_CONSTRUCTOR, FORM_PROXY, FORM_RESOURCE, FORM_HANDLE, FORM_NEW };

/* What a breakpoint stands at, and how its arguments are to be read. */
static struct hook {
    const char *class;
    const char *method;
    const char *signature;
    int form;
    jmethodID id;
} hooks[] = {
    {"java/lang/Class", "forName", "(Ljava/lang/String;)Ljava/lang/Class;", FORM_NAME, NULL},
    {"java/lang/Class", "forName", "(Ljava/lang/String;ZLjava/lang/ClassLoader;)Ljava/lang/Class;", FORM_NAME, NULL},
    {"java/lang/Class", "getMethod", "(Ljava/lang/String;[Ljava/lang/Class;)Ljava/lang/reflect/Method;", FORM_MEMBER, NULL},
    {"java/lang/Class", "getDeclaredMethod", "(Ljava/lang/String;[Ljava/lang/Class;)Ljava/lang/reflect/Method;", FORM_MEMBER, NULL},
    {"java/lang/Class", "getConstructor", "([Ljava/lang/Class;)Ljava/lang/reflect/Constructor;", FORM_CONSTRUCTOR, NULL},
    {"java/lang/Class", "getDeclaredConstructor", "([Ljava/lang/Class;)Ljava/lang/reflect/Constructor;", FORM_CONSTRUCTOR, NULL},
    {"java/lang/Class", "newInstance", "()Ljava/lang/Object;", FORM_NEW, NULL},
    {"java/lang/Class", "getField", "(Ljava/lang/String;)Ljava/lang/reflect/Field;", FORM_FIELD, NULL},
    {"java/lang/Class", "getDeclaredField", "(Ljava/lang/String;)Ljava/lang/reflect/Field;", FORM_FIELD, NULL},
    {"java/lang/Class", "getMethods", "()[Ljava/lang/reflect/Method;", FORM_ALL, NULL},
    {"java/lang/Class", "getDeclaredMethods", "()[Ljava/lang/reflect/Method;", FORM_ALL, NULL},
    {"java/lang/Class", "getFields", "()[Ljava/lang/reflect/Field;", FORM_ALL, NULL},
    {"java/lang/Class", "getDeclaredFields", "()[Ljava/lang/reflect/Field;", FORM_ALL, NULL},
    {"java/lang/Class", "getConstructors", "()[Ljava/lang/reflect/Constructor;", FORM_ALL, NULL},
    {"java/lang/Class", "getDeclaredConstructors", "()[Ljava/lang/reflect/Constructor;", FORM_ALL, NULL},
    {"java/lang/reflect/Proxy", "newProxyInstance",
     "(Ljava/lang/ClassLoader;[Ljava/lang/Class;Ljava/lang/reflect/InvocationHandler;)Ljava/lang/Object;", FORM_PROXY, NULL},
    {"java/lang/Class", "getResource", "(Ljava/lang/String;)Ljava/net/URL;", FORM_RESOURCE, NULL},
    {"java/lang/Class", "getResourceAsStream", "(Ljava/lang/String;)Ljava/io/InputStream;", FORM_RESOURCE, NULL},
    {"java/lang/ClassLoader", "getResource", "(Ljava/lang/String;)Ljava/net/URL;", FORM_RESOURCE, NULL},
    {"java/lang/ClassLoader", "getResources", "(Ljava/lang/String;)Ljava/util/Enumeration;", FORM_RESOURCE, NULL},
    {"java/lang/ClassLoader", "getResourceAsStream", "(Ljava/lang/String;)Ljava/io/InputStream;", FORM_RESOURCE, NULL},
    {"java/lang/invoke/MethodHandles$Lookup", "findVirtual",
     "(Ljava/lang/Class;Ljava/lang/String;Ljava/lang/invoke/MethodType;)Ljava/lang/invoke/MethodHandle;", FORM_HANDLE, NULL},
    {"java/lang/invoke/MethodHandles$Lookup", "findStatic",
     "(Ljava/lang/Class;Ljava/lang/String;Ljava/lang/invoke/MethodType;)Ljava/lang/invoke/MethodHandle;", FORM_HANDLE, NULL},
    {"java/lang/invoke/MethodHandles$Lookup", "findConstructor",
     "(Ljava/lang/Class;Ljava/lang/invoke/MethodType;)Ljava/lang/invoke/MethodHandle;", FORM_HANDLE, NULL},
};

enum { HOOKS = sizeof hooks / sizeof *hooks, DEEP = 12, TEXT = 4096 };

static jvmtiEnv *ti;
static FILE *out;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct JNINativeInterface_ *original;

/* A type as Java writes it in source, appended. */
static void append_type(char *text, const char *signature) {
    static const char *const primitive[] = {"Zboolean", "Bbyte", "Cchar", "Sshort", "Iint", "Jlong", "Ffloat", "Ddouble", "Vvoid"};
    int dimensions = 0;
    char *at;
    size_t i;
    while (*signature == '[') {
        dimensions++;
        signature++;
    }
    at = text + strlen(text);
    for (i = 0; i < sizeof primitive / sizeof *primitive; i++) {
        if (*signature == primitive[i][0]) {
            strcpy(at, primitive[i] + 1);
        }
    }
    if (*signature == 'L') {
        for (signature++; *signature != ';' && *signature != 0; signature++) {
            *at++ = *signature == '/' ? '.' : *signature;
        }
        *at = 0;
    }
    while (dimensions-- > 0) {
        strcat(text, "[]");
    }
}

static void append_class(char *text, jclass class) {
    char *signature = NULL;
    if (class != NULL && (*ti)->GetClassSignature(ti, class, &signature, NULL) == JVMTI_ERROR_NONE) {
        append_type(text, signature);
        (*ti)->Deallocate(ti, (unsigned char *)signature);
    }
}

static void append_classes(JNIEnv *jni, char *text, jobjectArray classes) {
    jsize i;
    jsize length = classes == NULL ? 0 : original->GetArrayLength(jni, classes);
    for (i = 0; i < length; i++) {
        jobject each = original->GetObjectArrayElement(jni, classes, i);
        if (i > 0) {
            strcat(text, ",");
        }
        append_class(text, each);
        original->DeleteLocalRef(jni, each);
    }
}

static void append_string(JNIEnv *jni, char *text, jstring string) {
    const char *bytes = string == NULL ? NULL : original->GetStringUTFChars(jni, string, NULL);
    if (bytes != NULL) {
        strncat(text, bytes, TEXT / 2);
        original->ReleaseStringUTFChars(jni, string, bytes);
    }
}

/* The parameters of a descriptor in brackets. */
static void append_parameters(char *text, const char *descriptor) {
    const char *at = descriptor + 1;
    while (*descriptor == '(' && *at != ')' && *at != 0) {
        if (at != descriptor + 1) {
            strcat(text, ",");
        }
        append_type(text, at);
        while (*at == '[') {
            at++;
        }
        at = *at == 'L' ? strchr(at, ';') + 1 : at + 1;
    }
}

static int is_passed_over(const char *class) {
    return strncmp(class, "jdk.internal.loader.", 20) == 0 || strcmp(class, "java.lang.ClassLoader") == 0
        || strcmp(class, "java.lang.System") == 0 || strcmp(class, "java.lang.Runtime") == 0
        || strcmp(class, "java.lang.Class") == 0;
}

/* The class that asks: of the frame at the depth or, where that loads a library, of the one that wants it. */
static int caller(JNIEnv *jni, char *text, jint depth) {
    jvmtiFrameInfo frames[DEEP];
    jint count = 0;
    jint i;
    if ((*ti)->GetStackTrace(ti, NULL, depth, DEEP, frames, &count) != JVMTI_ERROR_NONE) {
        return 0;
    }
    for (i = 0; i < count; i++) {
        jclass class = NULL;
        (*ti)->GetMethodDeclaringClass(ti, frames[i].method, &class);
        *text = 0;
        append_class(text, class);
        original->DeleteLocalRef(jni, class);
        if (!is_passed_over(text)) {
            return 1;
        }
    }
    return 0;
}

static void line(const char *kind, const char *by, const char *type, const char *member, const char *parameters) {
    pthread_mutex_lock(&lock);
    fprintf(out, "%s\t%s\t%s\t%s\t%s\n", kind, by, type, member, parameters);
    fflush(out);
    pthread_mutex_unlock(&lock);
}

static jobject local(jint slot) {
    jobject value = NULL;
    (*ti)->GetLocalObject(ti, NULL, 0, slot, &value);
    return value;
}

static void JNICALL on_breakpoint(jvmtiEnv *env, JNIEnv *jni, jthread thread, jmethodID method, jlocation location) {
    char by[TEXT] = "";
    char type[TEXT] = "";
    char member[TEXT] = "";
    char parameters[TEXT] = "";
    const char *kind = "reflection";
    struct hook *at = hooks;
    (void)env;
    (void)thread;
    (void)location;
    while (at < hooks + HOOKS && at->id != method) {
        at++;
    }
    if (at == hooks + HOOKS || !caller(jni, by, 1) || original->PushLocalFrame(jni, 64) != 0) {
        return;
    }
    switch (at->form) {
        case FORM_NAME:
            append_string(jni, type, local(0));
            break;
        case FORM_MEMBER:
            append_class(type, local(0));
            append_string(jni, member, local(1));
            append_classes(jni, parameters, local(2));
            break;
        case FORM_FIELD:
            kind = "field";
            append_class(type, local(0));
            append_string(jni, member, local(1));
            break;
        case FORM_CONSTRUCTOR:
            append_class(type, local(0));
            strcpy(member, "<init>");
            append_classes(jni, parameters, local(1));
            break;
        case FORM_NEW:
            append_class(type, local(0));
            strcpy(member, "<init>");
            break;
        case FORM_ALL:
            kind = at->method;
            append_class(type, local(0));
            break;
        case FORM_PROXY:
            kind = "proxy";
            append_classes(jni, type, local(1));
            break;
        case FORM_RESOURCE:
            kind = "resource";
            if (strcmp(at->class, "java/lang/Class") == 0) {
                append_class(member, local(0));
            }
            append_string(jni, type, local(1));
            break;
        default: {
            int makes = strcmp(at->method, "findConstructor") == 0;
            jobject shape = local(makes ? 2 : 3);
            jclass types = original->GetObjectClass(jni, shape);
            jmethodID array = original->GetMethodID(jni, types, "parameterArray", "()[Ljava/lang/Class;");
            append_class(type, local(1));
            if (makes) {
                strcpy(member, "<init>");
            } else {
                append_string(jni, member, local(2));
            }
            append_classes(jni, parameters, original->CallObjectMethod(jni, shape, array));
        }
    }
    original->PopLocalFrame(jni, NULL);
    line(kind, by, type, member, parameters);
}

/* ---- JNI ---- */

static jclass JNICALL find_class(JNIEnv *jni, const char *name) {
    char by[TEXT] = "";
    char type[TEXT] = "";
    char signature[TEXT];
    snprintf(signature, sizeof signature, *name == '[' ? "%s" : "L%s;", name);
    append_type(type, signature);
    if (caller(jni, by, 0)) {
        line("jni", by, type, "", "");
    }
    return original->FindClass(jni, name);
}

static void member(JNIEnv *jni, jclass class, const char *name, const char *signature) {
    char by[TEXT] = "";
    char type[TEXT] = "";
    char parameters[TEXT] = "";
    append_class(type, class);
    append_parameters(parameters, signature);
    if (caller(jni, by, 0)) {
        line(*signature == '(' ? "jni" : "jnifield", by, type, name, parameters);
    }
}

static jmethodID JNICALL get_method(JNIEnv *jni, jclass class, const char *name, const char *signature) {
    member(jni, class, name, signature);
    return original->GetMethodID(jni, class, name, signature);
}

static jmethodID JNICALL get_static_method(JNIEnv *jni, jclass class, const char *name, const char *signature) {
    member(jni, class, name, signature);
    return original->GetStaticMethodID(jni, class, name, signature);
}

static jfieldID JNICALL get_field(JNIEnv *jni, jclass class, const char *name, const char *signature) {
    member(jni, class, name, signature);
    return original->GetFieldID(jni, class, name, signature);
}

static jfieldID JNICALL get_static_field(JNIEnv *jni, jclass class, const char *name, const char *signature) {
    member(jni, class, name, signature);
    return original->GetStaticFieldID(jni, class, name, signature);
}

static jint JNICALL register_natives(JNIEnv *jni, jclass class, const JNINativeMethod *methods, jint count) {
    jint i;
    for (i = 0; i < count; i++) {
        member(jni, class, methods[i].name, methods[i].signature);
    }
    return original->RegisterNatives(jni, class, methods, count);
}

static void JNICALL on_start(jvmtiEnv *env, JNIEnv *jni, jthread thread) {
    struct JNINativeInterface_ *changed;
    struct hook *at;
    (void)thread;
    if ((*env)->GetJNIFunctionTable(env, &original) != JVMTI_ERROR_NONE
        || (*env)->GetJNIFunctionTable(env, &changed) != JVMTI_ERROR_NONE) {
        abort();
    }
    for (at = hooks; at < hooks + HOOKS; at++) {
        jclass class = original->FindClass(jni, at->class);
        at->id = class == NULL ? NULL : original->GetMethodID(jni, class, at->method, at->signature);
        if (at->id == NULL) {
            original->ExceptionClear(jni);
            at->id = class == NULL ? NULL : original->GetStaticMethodID(jni, class, at->method, at->signature);
        }
        if (at->id == NULL || (*env)->SetBreakpoint(env, at->id, 0) != JVMTI_ERROR_NONE) {
            fprintf(stderr, "tracer: no breakpoint in %s.%s\n", at->class, at->method);
            abort();
        }
    }
    changed->FindClass = find_class;
    changed->GetMethodID = get_method;
    changed->GetStaticMethodID = get_static_method;
    changed->GetFieldID = get_field;
    changed->GetStaticFieldID = get_static_field;
    changed->RegisterNatives = register_natives;
    if ((*env)->SetJNIFunctionTable(env, changed) != JVMTI_ERROR_NONE
        || (*env)->SetEventNotificationMode(env, JVMTI_ENABLE, JVMTI_EVENT_BREAKPOINT, NULL) != JVMTI_ERROR_NONE) {
        abort();
    }
}

JNIEXPORT jint JNICALL Agent_OnLoad(JavaVM *vm, char *options, void *reserved) {
    jvmtiCapabilities wanted = {0};
    jvmtiEventCallbacks callbacks = {0};
    (void)reserved;
    wanted.can_generate_breakpoint_events = 1;
    wanted.can_access_local_variables = 1;
    callbacks.VMInit = on_start;
    callbacks.Breakpoint = on_breakpoint;
    out = fopen(options, "we");
    return out != NULL && (*vm)->GetEnv(vm, (void **)&ti, JVMTI_VERSION_1_2) == JNI_OK
            && (*ti)->AddCapabilities(ti, &wanted) == JVMTI_ERROR_NONE
            && (*ti)->SetEventCallbacks(ti, &callbacks, sizeof callbacks) == JVMTI_ERROR_NONE
            && (*ti)->SetEventNotificationMode(ti, JVMTI_ENABLE, JVMTI_EVENT_VM_INIT, NULL) == JVMTI_ERROR_NONE
        ? JNI_OK
        : JNI_ERR;
}
