# A bus for CAN FD, one for classic CAN only, and one that is down. The MTU is that of struct canfd_frame or can_frame.
ip link set lo up
ip link add vcan0 type vcan
ip link set vcan0 mtu 72 up
ip link add vcan1 type vcan
ip link set vcan1 mtu 16 up
ip link add vcan2 type vcan
