/* A launcher whose first thread, the leader of the process, ends while Java runs in another.
   leaderless LIBJVM OPTION... CLASS */
#include <dlfcn.h>
#include <jni.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static int count;
static char **words;

static void *run(void *unused)
{
    (void)unused;
    JavaVMOption options[16] = {{0}};
    JavaVMInitArgs arguments = {JNI_VERSION_1_8, count - 3, options, JNI_FALSE};
    JavaVM *vm;
    JNIEnv *env;
    for (int i = 2; i < count - 1; i++)
        options[i - 2].optionString = words[i];
    void *library = dlopen(words[1], RTLD_NOW | RTLD_GLOBAL);
    jint (*create)(JavaVM **, void **, void *) = library ? dlsym(library, "JNI_CreateJavaVM") : NULL;
    if (!create || create(&vm, (void **)&env, &arguments) != JNI_OK) {
        fprintf(stderr, "no JVM: %s\n", dlerror());
        exit(2);
    }
    jclass class = (*env)->FindClass(env, words[count - 1]);
    jmethodID method = class ? (*env)->GetStaticMethodID(env, class, "main", "([Ljava/lang/String;)V") : NULL;
    if (method)
        (*env)->CallStaticVoidMethod(env, class, method, NULL);
    if ((*env)->ExceptionCheck(env)) {
        (*env)->ExceptionDescribe(env);
        exit(1);
    }
    exit(0);
}

int main(int argc, char **argv)
{
    pthread_t thread;
    pthread_attr_t attributes;
    if (argc < 3 || argc > 16)
        return 2;
    count = argc;
    words = argv;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 8 << 20);
    if (pthread_create(&thread, &attributes, run, NULL) != 0)
        return 2;
    pthread_exit(NULL);
}
