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

# Ports for output, errors and exit code; they are there once the driver has asked the host for them.
until [ -e /dev/vport*p3 ]; do sleep 0.01; done
set -- /dev/vport*p?
# The job gets pipes: it may open /dev/stdout again, and a port opens only once.
mkfifo /output /errors
cat /output >"$1" &
cat /errors >"$2" &
code=0
# In a process namespace, so that nothing outlives the job and holds the pipes. Whole paths are the host's programs.
chroot /new /usr/bin/unshare --pid --fork --mount-proc /bin/sh "$job" </dev/null >/output 2>/errors || code=$?
wait
echo $code >"$3"
poweroff -f
