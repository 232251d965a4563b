/* A plugin for QEMU's emulation of one program: how many instructions its first thread took, said
 * at its end. Built and loaded by tests/arm/instructions. No package of Debian holds qemu-plugin.h,
 * so what is used of it is declared here, as in version 1 of that interface (QEMU 4.2 and later).
 */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

struct block;
typedef void translated(uint64_t id, struct block *block);
typedef void entered(unsigned cpu, void *data);
typedef void ended(uint64_t id, void *data);

void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, translated *then);
void qemu_plugin_register_vcpu_tb_exec_cb(struct block *block, entered *then, int flags, void *data);
void qemu_plugin_register_atexit_cb(uint64_t id, ended *then, void *data);
size_t qemu_plugin_tb_n_insns(const struct block *block);

int qemu_plugin_version = 1;
static uint64_t count;

/* Other threads only wait, and how long is chance. */
static void enter(unsigned cpu, void *length)
{
    if (cpu == 0)
        count += (uintptr_t)length;
}

static void translate(uint64_t id, struct block *block)
{
    (void)id;
    void *length = (void *)(uintptr_t)qemu_plugin_tb_n_insns(block);
    qemu_plugin_register_vcpu_tb_exec_cb(block, enter, 0, length);
}

static void end(uint64_t id, void *data)
{
    (void)id, (void)data;
    fprintf(stderr, "%" PRIu64 " instructions\n", count);
}

int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
    (void)info, (void)argc, (void)argv;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
    qemu_plugin_register_atexit_cb(id, end, NULL);
    return 0;
}
