/* Hides vector units of an x86 processor from a program, so that every library in it chooses the
 * code it would choose on a processor without them: HIDE=avx512 or HIDE=avx2 (and what needs it).
 * Preloaded by bench/vision. The kernel makes CPUID a fault (arch_prctl, ARCH_CPUID); the handler
 * answers it as the processor does, less some bits. Bits: Intel's manual, volume 2, CPUID.
 */
#define _GNU_SOURCE
#include <cpuid.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

enum { SET_CPUID = 0x1012 }; /* ARCH_SET_CPUID */

static int hide_avx2;

static long faulting(int on) { return syscall(SYS_arch_prctl, SET_CPUID, !on); }

static void answer(int signal, siginfo_t *info, void *context)
{
    greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
    const unsigned char *code = (const unsigned char *)r[REG_RIP];
    unsigned a, b, c, d, leaf = r[REG_RAX], part = r[REG_RCX];
    (void)info;
    if (code[0] != 0x0f || code[1] != 0xa2) { /* a fault of its own: let it fall */
        struct sigaction plain = {.sa_handler = SIG_DFL};
        sigaction(signal, &plain, NULL);
        return;
    }
    faulting(0);
    __cpuid_count(leaf, part, a, b, c, d);
    faulting(1);
    if (leaf == 1 && hide_avx2)
        c &= ~(1u << 12); /* FMA */
    if (leaf == 7 && part == 0) {
        /* AVX-512 F, DQ, IFMA, PF, ER, CD, BW, VL */
        b &= ~(1u << 16 | 1u << 17 | 1u << 21 | 1u << 26 | 1u << 27 | 1u << 28 | 1u << 30 | 1u << 31);
        /* VBMI, VBMI2, VNNI, BITALG, VPOPCNTDQ */
        c &= ~(1u << 1 | 1u << 6 | 1u << 11 | 1u << 12 | 1u << 14);
        /* 4VNNIW, 4FMAPS, VP2INTERSECT, AMX-BF16, FP16, AMX-TILE, AMX-INT8 */
        d &= ~(1u << 2 | 1u << 3 | 1u << 8 | 1u << 22 | 1u << 23 | 1u << 24 | 1u << 25);
        if (hide_avx2)
            b &= ~(1u << 5);
    }
    if (leaf == 7 && part == 1)
        a &= ~(1u << 5 | (hide_avx2 ? 1u << 4 | 1u << 23 : 0)); /* AVX512-BF16; AVX-VNNI, AVX-IFMA */
    r[REG_RAX] = a, r[REG_RBX] = b, r[REG_RCX] = c, r[REG_RDX] = d;
    r[REG_RIP] += 2;
}

__attribute__((constructor)) static void begin(void)
{
    const char *what = getenv("HIDE");
    struct sigaction handler = {.sa_sigaction = answer, .sa_flags = SA_SIGINFO | SA_NODEFER};
    if (!what || (strcmp(what, "avx512") && strcmp(what, "avx2")))
        return;
    hide_avx2 = !strcmp(what, "avx2");
    sigaction(SIGSEGV, &handler, NULL);
    if (faulting(1)) {
        fputs("this processor cannot hide its vector units: CPUID does not fault here\n", stderr);
        exit(3);
    }
}
