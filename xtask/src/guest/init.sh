#!/bin/busybox sh
# The guest's first process: puts the host's root under this kernel and runs $job there, which the kernel's command
# line names. What is written goes to memory and is gone with the guest. Where this fails, the kernel says so and ends.

set -e
/bin/busybox --install -s /bin
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mkdir -p /dev /low /new /proc /up
mount -t devtmpfs dev /dev
mount -t proc proc /proc
for module in /modules/*; do insmod "$module"; done

# The files may not change while the guest has them, so that it may keep what it has read.
mount -t 9p -o ro,trans=virtio,version=9p2000.L,msize=512000,cache=loose root /low
mount -t tmpfs up /up
mkdir /up/files /up/work
mount -t overlay -o lowerdir=/low,upperdir=/up/files,workdir=/up/work root /new
mount -t proc proc /new/proc
mount -t sysfs sys /new/sys
mount -t devtmpfs dev /new/dev
mkdir /new/dev/pts /new/dev/shm
mount -t devpts -o ptmxmode=666 pts /new/dev/pts
mount -t tmpfs shm /new/dev/shm
ln -s /proc/self/fd /new/dev/fd
ln -s fd/0 /new/dev/stdin
ln -s fd/1 /new/dev/stdout
ln -s fd/2 /new/dev/stderr

# What the job says goes into files of the host's at once: nothing is kept back, and nothing is lost when the guest ends.
mkdir /said
mount -t 9p -o rw,trans=virtio,version=9p2000.L,msize=512000,cache=none said /said
# The job itself gets pipes, as programs have them.
mkfifo /output /errors
cat /output >/said/output &
cat /errors >/said/errors &
code=0
cd /new
# In the place of the first root, for a process that is only chrooted may not make user namespaces.
mount --move /new /
# In a process namespace, so that nothing outlives the job and holds the pipes. Whole paths are the host's programs.
chroot . /usr/bin/unshare --pid --fork --mount-proc /bin/sh "$job" </dev/null >/output 2>/errors || code=$?
wait
echo $code >/said/code
poweroff -f
